# Rates of few events in R: poisson.test, prop.test, pbinom, and Miettinen-Nurminen with the maximum found by halving.
# needs:
# Run in this folder: Rscript rates.R > rates.json

source("../emit.R")

data <- read.csv("rates.csv", stringsAsFactors = FALSE)

# The likeliest reference rate where the other is given by ``first``; ``slope`` is that of ``first`` in it.
restricted <- function(x1, t1, x0, t0, first, slope, least) {
  part <- function(count, rate) if (count > 0) count / rate else 0
  low <- least
  high <- least + (x1 + x0 + 1) / min(t1, t0) + abs(first(0))
  for (i in 1:1100) {
    rate <- (low + high) / 2
    if (rate <= low || rate >= high) break
    if (slope * (part(x1, first(rate)) - t1) + part(x0, rate) - t0 > 0) low <- rate else high <- rate
  }
  (low + high) / 2
}

score_difference <- function(x1, t1, x0, t0, delta) {
  rate <- restricted(x1, t1, x0, t0, function(r) r + delta, 1, max(0, -delta))
  (x1 / t1 - x0 / t0 - delta) / sqrt((rate + delta) / t1 + rate / t0)
}

score_ratio <- function(x1, t1, x0, t0, ratio) {
  rate <- restricted(x1, t1, x0, t0, function(r) ratio * r, ratio, 0)
  (x1 / t1 - ratio * x0 / t0) / sqrt(ratio * rate / t1 + ratio^2 * rate / t0)
}

root <- function(f, ends) uniroot(f, sort(ends), tol = 1e-16, maxiter = 1e4)$root

difference <- function(x1, t1, x0, t0, level) {
  z <- qnorm(0.5 + level / 2)
  estimate <- x1 / t1 - x0 / t0
  limit <- function(side) {
    beyond <- 1 / min(t1, t0)
    while (side * score_difference(x1, t1, x0, t0, estimate + side * beyond) > -z) beyond <- 2 * beyond
    beside <- estimate + side * 1e-9 * beyond
    root(function(delta) score_difference(x1, t1, x0, t0, delta) + side * z, c(beside, estimate + side * beyond))
  }
  c(limit(-1), limit(1))
}

# On the logarithm of the ratio; a limit that does not exist is NA.
ratio <- function(x1, t1, x0, t0, level) {
  if (x1 + x0 == 0) return(c(NA, NA))
  z <- qnorm(0.5 + level / 2)
  limit <- function(side, exists, from) {
    if (!exists) return(NA)
    f <- function(log_ratio) score_ratio(x1, t1, x0, t0, exp(log_ratio)) + side * z
    exp(root(f, c(from, side * 30)))
  }
  between <- log((x1 + 0.5) / t1) - log((x0 + 0.5) / t0)
  if (x1 > 0 && x0 > 0) between <- log(x1 / t1) - log(x0 / t0)
  if (x1 == 0) between <- -30
  if (x0 == 0) between <- 30
  c(limit(-1, x1 > 0, between), limit(1, x0 > 0, between))
}

# Wilson's interval of the first arm's share of the events, as a ratio.
wilson <- function(x1, t1, x0, t0, level) {
  if (x1 + x0 == 0) return(c(NA, NA))
  share <- suppressWarnings(prop.test(x1, x1 + x0, correct = FALSE, conf.level = level))$conf.int
  as.numeric(share / (1 - share) * t0 / t1)
}

tested <- function(x1, t1, x0, t0) {
  z <- if (x1 + x0 == 0) 0 else score_difference(x1, t1, x0, t0, 0)
  list(statistic = z, two_sided = 2 * pnorm(-abs(z)), greater = pnorm(z, lower.tail = FALSE), less = pnorm(z))
}

exact <- function(x1, t1, x0, t0) {
  if (x1 + x0 == 0) return(NULL)
  by <- function(...) poisson.test(c(x1, x0), c(t1, t0), ...)
  greater <- by(alternative = "greater")
  less <- by(alternative = "less")
  list(
    interval_95 = as.numeric(by()$conf.int),
    interval_99 = as.numeric(by(conf.level = 0.99)$conf.int),
    lower_95 = greater$conf.int[1],
    upper_95 = less$conf.int[2],
    greater = greater$p.value,
    less = less$p.value
  )
}

# Half of what is seen belongs to each tail.
mid_p <- function(x1, t1, x0, t0) {
  total <- x1 + x0
  if (total == 0) return(NULL)
  greater <- function(share) pbinom(x1, total, share, lower.tail = FALSE) + dbinom(x1, total, share) / 2
  less <- function(share) pbinom(x1 - 1, total, share) + dbinom(x1, total, share) / 2
  as_ratio <- function(share) share / (1 - share) * t0 / t1
  lower <- function(area) if (x1 == 0) 0 else as_ratio(root(function(share) greater(share) - area, c(0, 1)))
  upper <- function(area) if (x0 == 0) Inf else as_ratio(root(function(share) less(share) - area, c(0, 1)))
  share <- t1 / (t1 + t0)
  list(
    interval_95 = c(lower(0.025), upper(0.025)),
    lower_95 = lower(0.05),
    upper_95 = upper(0.05),
    greater = greater(share),
    less = less(share)
  )
}

analysed <- function(case) {
  row <- unname(as.list(data[data$case == case, -1]))
  list(
    difference = row[[1]] / row[[2]] - row[[3]] / row[[4]],
    difference_95 = do.call(difference, c(row, 0.95)),
    difference_80 = do.call(difference, c(row, 0.80)),
    ratio_95 = do.call(ratio, c(row, 0.95)),
    ratio_wilson_95 = do.call(wilson, c(row, 0.95)),
    ratio_wilson_80 = do.call(wilson, c(row, 0.80)),
    score = do.call(tested, row),
    exact = do.call(exact, row),
    mid_p = do.call(mid_p, row)
  )
}

emit(setNames(lapply(data$case, analysed), data$case))
