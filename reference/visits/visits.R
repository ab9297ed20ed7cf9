# Distances of visits, many visits and visits that say nearly the same, in R's nlme (gls).
# needs: nlme
# Run in this folder: Rscript visits.R > visits.json

suppressPackageStartupMessages(library(nlme))
source("../emit.R")

data <- read.csv("visits.csv", stringsAsFactors = FALSE)
strict <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 2000)

prepared <- function(case) {
  rows <- data[data$case == case, ]
  rows$arm <- factor(rows$arm, levels = c("placebo", "active"))
  rows$at <- factor(rows$visit)
  rows[order(rows$person, rows$visit), ]
}

found <- function(fit) {
  list(
    estimate = unname(coef(fit)), covariance = unname(vcov(fit)), log_likelihood = as.numeric(logLik(fit)),
    correlation = unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE))
  )
}

one_arm <- function(case, correlation) {
  found(gls(outcome ~ arm, prepared(case), correlation = correlation, control = strict))
}

by_visit <- function(correlation, weights = NULL) {
  found(gls(outcome ~ 0 + at + at:arm, prepared("alike"), correlation = correlation, weights = weights, control = strict))
}

emit(list(
  gap_ar1 = one_arm("gap", corAR1(form = ~ visit | person)),
  weeks_ar1 = one_arm("weeks", corCAR1(form = ~ visit | person)),
  wide_ar1 = one_arm("wide", corAR1(form = ~ visit | person)),
  wide_cs = one_arm("wide", corCompSymm(form = ~ 1 | person)),
  alike_us = by_visit(corSymm(form = ~ as.integer(visit) | person), varIdent(form = ~ 1 | at)),
  alike_cs = by_visit(corCompSymm(form = ~ 1 | person))
))
