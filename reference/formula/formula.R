# Formulas in R: names and values of the design's columns (model.matrix), least-squares means (emmeans).
# needs: emmeans
# Run in this folder: Rscript formula.R > formula.json

suppressPackageStartupMessages(library(emmeans))
source("../emit.R")

data <- read.csv("formula.csv", check.names = FALSE)
data$a <- factor(data$a, levels = c("v", "gone", "u", "w"))
data$b <- factor(data$b, levels = c("low", "high"))
data$visit <- factor(data$visit)
data[["odd name"]] <- factor(data[["odd name"]])

formulas <- c(
  "y ~ 1", "y ~ a", "y ~ 0 + a", "y ~ a - 1", "y ~ -1 + a + b", "y ~ 0 + x", "y ~ 0 + x + a + b", "y ~ x + 0 + 1",
  "y ~ a + b", "y ~ b * visit", "y ~ a * b * visit", "y ~ (a + b + visit)^2", "y ~ (a + b + visit)^2 - a:b",
  "y ~ (a + b + x)**3", "y ~ a:b", "y ~ 0 + a:b", "y ~ 0 + b:visit + x", "y ~ b + a:b", "y ~ b + b:visit", "y ~ a * b - a",
  "y ~ a * b - b", "y ~ a:b + a", "y ~ visit + b:x", "y ~ b * x", "y ~ x:b + a", "y ~ x:z", "y ~ x * z + b:x", "y ~ b:visit - 1 + a",
  "y ~ 0 + b * visit", "y ~ (a + b):visit", "y ~ visit:b + visit", "y ~ x + I(x^2)", "y ~ log(z) * b", "y ~ log(z + 1) + sqrt(x)",
  "y ~ I((x - 50)/10) + exp(-z/10)", "y ~ I(x*z) + I(z**2) + I(-x)", "y ~ I(z * 100000) + I(z + 0.00010) + I(10*z)",
  "y ~ `odd name` * b + flag", "y ~ flag:`odd name` + a", "log(y) ~ a + x:a", "y - x ~ visit", "y ~ a * b:visit"
)

# Two weighted sums of each column tell any two columns apart.
columns <- function(text) {
  frame <- model.frame(as.formula(text), data, drop.unused.levels = TRUE)
  X <- model.matrix(as.formula(text), frame)
  rows <- seq_len(nrow(X))
  list(
    names = array(colnames(X)), rows = nrow(X), outcome = sum(model.response(frame) * rows),
    first = array(colSums(X * rows)), second = array(colSums(X * sqrt(rows)))
  )
}

# The weights of the means do not depend on the covariance of the errors, and so least squares gives them.
means <- function(text, by, at = list()) {
  fit <- eval(bquote(lm(.(as.formula(text)), data)))
  found <- suppressMessages(emmeans(fit, by, at = at, cov.keep = 0, nesting = NULL))
  list(weights = unname(found@linfct), estimate = array(summary(found)$emmean))
}

emit(list(
  designs = setNames(lapply(formulas, columns), formulas),
  means = list(
    both = means("y ~ a * b + visit + x", c("b", "visit")),
    squares = means("y ~ a + b * visit + x + I(x^2)", c("visit", "a")),
    curved = means("y ~ b * log(z) + sqrt(x):b + a", "b"),
    placed = means("y ~ a + b * x", c("b"), list(x = 40)),
    no_intercept = means("y ~ 0 + a:b + visit + x:b", c("a", "b")),
    odd = means("y ~ `odd name` * b + flag + z", c("odd name"))
  )
))
