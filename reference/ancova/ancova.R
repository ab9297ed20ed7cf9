# Analysis of covariance in R: lm, sandwich (HC3), emmeans (least-squares means), car (joint F tests).
# needs: sandwich lmtest emmeans car
# Run in this folder: Rscript ancova.R > ancova.json

suppressPackageStartupMessages({
  library(sandwich)
  library(lmtest)
  library(emmeans)
  library(car)
})
source("../emit.R")

data <- read.csv("ancova.csv", stringsAsFactors = FALSE)

# The formula stands in the fit's own call, since emmeans and update evaluate it again.
fitted_to <- function(rows, covariates) {
  eval(bquote(lm(.(reformulate(c("arm", covariates), "outcome")), rows)))
}

prepared <- function(case, shift = 0) {
  rows <- data[data$case == case, ]
  rows$baseline <- rows$baseline - shift
  rows$arm <- factor(rows$arm, levels = intersect(c("placebo", "active", "low", "high"), unique(rows$arm)))
  rows
}

# Estimate, interval and tests of one linear combination of the coefficients.
combination <- function(fit, covariance, weights, levels = c(0.95, 0.99)) {
  estimate <- sum(weights * coef(fit))
  error <- sqrt(drop(t(weights) %*% covariance %*% weights))
  df <- df.residual(fit)
  t <- estimate / error
  c(
    list(weights = array(weights), estimate = estimate, standard_error = error, df = df, statistic = t),
    setNames(lapply(levels, function(level) {
      estimate + c(-1, 1) * qt(0.5 + level / 2, df) * error
    }), sprintf("interval_%g", 100 * levels)),
    list(two_sided = 2 * pt(-abs(t), df), greater = pt(t, df, lower.tail = FALSE), less = pt(t, df))
  )
}

# Over the people whom the model uses; given the whole data, emmeans averages over those without outcome too.
means <- function(fit) {
  found <- summary(emmeans(fit, "arm", data = model.frame(fit)), infer = c(TRUE, FALSE))
  list(estimate = found$emmean, standard_error = found$SE, lower = found$lower.CL, upper = found$upper.CL)
}

joint <- function(fit, pattern, covariance) {
  names <- grep(pattern, names(coef(fit)), value = TRUE)
  found <- linearHypothesis(fit, names, vcov. = covariance, test = "F")
  list(
    numerator = found$Df[2], denominator = found$Res.Df[2], statistic = found$F[2], p = found[["Pr(>F)"]][2]
  )
}

# The contrast of the last arm with the first when each person is left out and the model is fitted anew.
without_each <- function(fit, term) {
  rows <- model.frame(fit)
  vapply(seq_len(nrow(rows)), function(i) coef(update(fit, data = rows[-i, ]))[[term]] - coef(fit)[[term]], 0)
}

analysed <- function(case, covariates, hc3 = TRUE, shift = 0) {
  rows <- prepared(case, shift)
  fit <- fitted_to(rows, covariates)
  names <- names(coef(fit))
  arms <- nlevels(rows$arm)
  weights <- as.numeric(seq_along(names) == arms)
  model <- vcov(fit)
  found <- list(
    covariates = array(covariates),
    arms = array(levels(rows$arm)),
    n = nobs(fit),
    df = df.residual(fit),
    coefficients = unname(coef(fit)),
    residual_variance = summary(fit)$sigma^2,
    covariance = model,
    leverage = unname(hatvalues(fit)),
    contrast = combination(fit, model, weights),
    means = means(fit),
    joint_arm = joint(fit, "^arm", model),
    joint_covariates = joint(fit, paste0("^(", paste(covariates, collapse = "|"), ")$"), model)
  )
  if (arms == 3) found$between <- combination(fit, model, weights - (seq_along(names) == 2))
  if (!hc3) return(found)
  robust <- vcovHC(fit, type = "HC3")
  tested <- coeftest(fit, vcov. = robust, df = df.residual(fit))
  found$covariance_hc3 <- robust
  found$contrast_hc3 <- combination(fit, robust, weights)
  # The same by lmtest, so that the formula above is not its own witness.
  found$coeftest_p <- unname(tested[arms, "Pr(>|t|)"])
  found$joint_arm_hc3 <- joint(fit, "^arm", robust)
  found$left_out <- without_each(fit, names[arms])
  found
}

# What R says where there is no analysis.
refused <- function(case, covariates) {
  rows <- prepared(case)
  fit <- fitted_to(rows, covariates)
  list(
    covariates = array(covariates),
    arms = array(levels(rows$arm)),
    coefficients = unname(coef(fit)),
    df = df.residual(fit),
    rank = fit$rank
  )
}

emit(list(
  "two-arms" = analysed("two-arms", c("baseline", "age")),
  "three-arms" = analysed("three-arms", c("baseline", "age")),
  "ties" = analysed("ties", "baseline"),
  "four" = analysed("four", "baseline"),
  "large-covariate" = analysed("large-covariate", c("baseline", "age")),
  # The same with a million taken off, which is exact and spares R the cancellation.
  "large-covariate-shifted" = analysed("large-covariate", c("baseline", "age"), shift = 1e6),
  "arm-of-one" = analysed("arm-of-one", "baseline", hc3 = FALSE),
  "constant" = refused("constant", "baseline"),
  "no-df" = refused("no-df", "baseline"),
  "singular" = refused("singular", c("baseline", "age"))
))
