# The normal model with one unstructured covariance in R (nlme::gls), and each strategy's imputed means by hand, one
# person at a time, from the model's coefficients and covariance; then lm at the last visit.
# needs: nlme
# Run in this folder: Rscript imputation.R > imputation.json

source("../emit.R")
library(nlme)

data <- read.csv("imputation.csv", stringsAsFactors = FALSE)
tight <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 2000, opt = "nlminb")

# One row a value; columns that are 1 or the covariate at one visit and 0 at the others.
design <- function(part, arm) {
  arms <- sort(unique(part$arm))
  columns <- cbind(1, sapply(arms[-1], function(a) as.numeric(arm == a)))
  if (!all(is.na(part$baseline))) columns <- cbind(columns, part$baseline)
  columns
}

fitted_model <- function(part, y, method) {
  visits <- ncol(y)
  x <- design(part, part$arm)
  long <- data.frame(id = rep(part$id, visits), v = rep(seq_len(visits), each = nrow(part)), y = as.vector(y))
  big <- kronecker(diag(visits), x)
  keep <- which(!is.na(long$y))
  keep <- keep[order(long$id[keep], long$v[keep])]
  long <- long[keep, ]
  long$x <- big[keep, ]
  fit <- gls(y ~ 0 + x, data = long, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | v),
             method = method, control = tight)
  # getVarCov wants a person who was seen at every visit, first in the data's order.
  correlation <- diag(visits)
  correlation[lower.tri(correlation)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  correlation <- correlation + t(correlation) - diag(visits)
  ratio <- coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(seq_len(visits))]
  deviation <- fit$sigma * ratio
  list(coefficients = matrix(coef(fit), ncol = visits), covariance = correlation * outer(deviation, deviation),
       log_likelihood = as.numeric(logLik(fit)))
}

imputed <- function(part, y, fit, strategy) {
  visits <- ncol(y)
  own <- design(part, part$arm) %*% fit$coefficients
  reference <- design(part, 0 * part$arm) %*% fit$coefficients
  for (i in seq_len(nrow(y))) {
    seen <- !is.na(y[i, ])
    if (all(seen)) next
    last <- max(0, which(seen))
    mean <- own[i, ]
    if (last < visits) {
      later <- (last + 1):visits
      if (strategy == "jump-to-reference") mean[later] <- reference[i, later]
      if (strategy == "copy-reference") mean <- reference[i, ]
      if (strategy == "copy-increments") {
        mean[later] <- if (last == 0) reference[i, later] else own[i, last] + reference[i, later] - reference[i, last]
      }
    }
    if (any(seen)) {
      slope <- fit$covariance[!seen, seen, drop = FALSE] %*% solve(fit$covariance[seen, seen])
      y[i, !seen] <- mean[!seen] + slope %*% (y[i, seen] - mean[seen])
    } else {
      y[i, ] <- mean
    }
  }
  y
}

effect <- function(part, y) {
  fit <- lm(y[, ncol(y)] ~ 0 + design(part, part$arm))
  list(estimate = as.numeric(coef(fit)[2]), error = sqrt(vcov(fit)[2, 2]))
}

strategies <- c("missing-at-random", "jump-to-reference", "copy-reference", "copy-increments")

case <- function(name) {
  part <- data[data$case == name, ]
  y <- as.matrix(part[, c("y1", "y2", "y3", "y4")])
  y <- unname(y[, colSums(!is.na(y)) > 0])
  full <- fitted_model(part, y, "ML")
  restricted <- fitted_model(part, y, "REML")
  effects <- lapply(strategies, function(strategy) {
    completed <- imputed(part, y, restricted, strategy)
    c(list(completed = completed), effect(part, completed))
  })
  list(full = full, restricted = restricted, strategies = setNames(effects, strategies))
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
