# Repeated measures in R: nlme (gls, lme), with CR2 and its degrees of freedom from clubSandwich.
# needs: nlme clubSandwich
# Run in this folder: Rscript mmrm.R > mmrm.json

suppressPackageStartupMessages({
  library(nlme)
  library(clubSandwich)
})
source("../emit.R")

data <- read.csv("mmrm.csv", stringsAsFactors = FALSE)
strict <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 2000)
strict_lme <- lmeControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 2000)

prepared <- function(case) {
  rows <- data[data$case == case & !is.na(data$outcome), ]
  rows$arm <- factor(rows$arm, levels = c("placebo", "active"))
  rows$time <- rows$visit - 1
  rows$visit <- factor(rows$visit)
  rows[order(rows$person, rows$visit), ]
}

# Means by visit, the arm's difference at each visit, one slope of the baseline.
model <- outcome ~ 0 + visit + visit:arm + baseline

# The columns in the order of the model's terms, whatever R calls them.
ordered <- function(names) c(grep("^visit[0-9]+$", names), grep(":arm", names), grep("baseline", names))

found <- function(fit, rows, estimates) {
  keep <- ordered(names(estimates))
  robust <- vcovCR(fit, cluster = rows$person, type = "CR2")
  tests <- coef_test(fit, vcov = robust, test = "Satterthwaite", coefs = "All")
  list(
    estimate = unname(estimates[keep]), covariance = unname(vcov(fit)[keep, keep]),
    log_likelihood = as.numeric(logLik(fit)),
    cr2 = unname(as.matrix(robust)[keep, keep]), cr2_df = tests$df_Satt[keep]
  )
}

structures <- c("us", "cs", "csh", "ar1", "ar1h")

fitted_to <- function(rows, name, method) {
  correlation <- switch(sub("h$", "", name),
    us = corSymm(form = ~ as.integer(visit) | person),
    cs = corCompSymm(form = ~ 1 | person),
    ar1 = corAR1(form = ~ time | person)
  )
  weights <- if (name %in% c("us", "csh", "ar1h")) varIdent(form = ~ 1 | visit) else NULL
  gls(model, rows, correlation = correlation, weights = weights, method = method, control = strict)
}

one <- function(case) {
  rows <- prepared(case)
  fits <- lapply(setNames(nm = structures), function(name) {
    fit <- fitted_to(rows, name, "REML")
    found(fit, rows, coef(fit))
  })
  slope <- lme(model, rows, random = ~ time | person, control = strict_lme)
  fits$ris <- found(slope, rows, fixef(slope))
  full <- fitted_to(rows, "csh", "ML")
  # Of the full likelihood nlme enlarges the covariance by N / (N - p), so that only these can be compared.
  fits$csh_full <- list(estimate = unname(coef(full)[ordered(names(coef(full)))]), log_likelihood = as.numeric(logLik(full)))
  fits
}

cases <- unique(data$case)
emit(setNames(lapply(cases, one), cases))
