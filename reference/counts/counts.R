# Rates of events in R: glm.nb, glm with a given dispersion and the Cox-Reid profile maximised by hand, quasi-Poisson.
# needs: MASS
# Run in this folder: Rscript counts.R > counts.json

source("../emit.R")
library(MASS)

data <- read.csv("counts.csv", stringsAsFactors = FALSE)
tight <- glm.control(epsilon = 1e-15, maxit = 500)

model <- function(part) if (all(is.na(part$age))) y ~ arm + offset(log(years)) else y ~ arm + age + offset(log(years))

# The likelihood at a dispersion, less half the log determinant of the coefficients' information.
profile <- function(part, log_alpha, adjusted) {
  size <- exp(-log_alpha)
  fit <- glm(model(part), data = part, family = negative.binomial(size), control = tight)
  mu <- fitted(fit)
  x <- model.matrix(fit)
  value <- sum(dnbinom(part$y, size = size, mu = mu, log = TRUE))
  if (adjusted) value <- value - 0.5 * as.numeric(determinant(t(x) %*% (mu / (1 + mu / size) * x))$modulus)
  value
}

# Limits of the arm's coefficient: where twice the fall of the likelihood, with the dispersion free, is chi-squared's 95 %.
constrained <- function(part, value) {
  rest <- if (all(is.na(part$age))) y ~ offset(log(years) + value * arm) else y ~ age + offset(log(years) + value * arm)
  at <- function(log_alpha) {
    size <- exp(-log_alpha)
    fit <- glm(rest, data = part, family = negative.binomial(size), control = tight)
    sum(dnbinom(part$y, size = size, mu = fitted(fit), log = TRUE))
  }
  environment(rest) <- environment()
  optimize(at, c(-6, 3), maximum = TRUE, tol = 1e-10)$objective
}

profile_limits <- function(part) {
  top <- optimize(function(la) profile(part, la, FALSE), c(-6, 3), maximum = TRUE, tol = 1e-12)
  centre <- coef(glm(model(part), data = part, family = negative.binomial(exp(-top$maximum)), control = tight))[["arm"]]
  f <- function(value) 2 * (top$objective - constrained(part, value)) - qchisq(0.95, 1)
  array(c(uniroot(f, c(centre - 8, centre), tol = 1e-9)$root, uniroot(f, c(centre, centre + 8), tol = 1e-9)$root))
}

at_dispersion <- function(part, alpha) {
  fit <- glm(model(part), data = part, family = negative.binomial(1 / alpha), control = tight)
  mu <- fitted(fit)
  x <- model.matrix(fit)
  list(coefficients = array(coef(fit)), errors = array(sqrt(diag(solve(t(x) %*% (mu / (1 + alpha * mu) * x))))))
}

case <- function(name) {
  part <- data[data$case == name, ]
  found <- list()
  for (adjusted in c(FALSE, TRUE)) {
    best <- optimize(function(la) profile(part, la, adjusted), c(-6, 3), maximum = TRUE, tol = 1e-12)$maximum
    label <- if (adjusted) "cox_reid" else "maximum_likelihood"
    found[[label]] <- c(list(dispersion = exp(best)), at_dispersion(part, exp(best)))
  }
  nb <- glm.nb(model(part), data = part, control = tight)
  found$glm_nb <- list(coefficients = array(coef(nb)), dispersion = 1 / nb$theta,
                       errors = array(sqrt(diag(vcov(nb)))), log_likelihood = as.numeric(logLik(nb)))
  found$profile_limits <- profile_limits(part)
  quasi <- glm(model(part), data = part, family = quasipoisson, control = tight)
  found$quasi <- list(coefficients = array(coef(quasi)), dispersion = summary(quasi)$dispersion,
                      errors = array(sqrt(diag(vcov(quasi)))))
  poisson <- glm(model(part), data = part, family = poisson, control = tight)
  found$poisson <- list(coefficients = array(coef(poisson)), errors = array(sqrt(diag(vcov(poisson)))),
                        log_likelihood = as.numeric(logLik(poisson)))
  found
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
