# Normal regression of censored values in R: survreg with a Gaussian distribution, covariance of coefficients and ln sd.
# needs: survival
# Run in this folder: Rscript censored.R > censored.json

source("../emit.R")
library(survival)

data <- read.csv("censored.csv", stringsAsFactors = FALSE)
tight <- survreg.control(maxiter = 500, rel.tolerance = 1e-11)

case <- function(name) {
  part <- data[data$case == name, ]
  outcome <- Surv(part$lower, part$upper, type = "interval2")
  formula <- if (all(is.na(part$covariate))) outcome ~ arm else outcome ~ arm + covariate
  fit <- survreg(formula, data = part, dist = "gaussian", control = tight)
  covariance <- unname(vcov(fit))
  covariance[abs(covariance) < 1e-14] <- 0
  list(coefficients = array(unname(coef(fit))), sd = fit$scale, covariance = covariance,
       log_likelihood = fit$loglik[2],
       interval_95 = array(unname(coef(fit)[2] + qnorm(c(0.025, 0.975)) * sqrt(covariance[2, 2]))),
       p = 2 * pnorm(-abs(unname(coef(fit)[2])) / sqrt(covariance[2, 2])))
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
