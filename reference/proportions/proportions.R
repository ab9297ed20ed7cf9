# Proportions of few events in R: binom.test, fisher.test, dhyper, and Miettinen-Nurminen without their cubic.
# needs:
# Run in this folder: Rscript proportions.R > proportions.json

source("../emit.R")

data <- read.csv("proportions.csv", stringsAsFactors = FALSE)

clopper <- function(x, n) {
  limits <- function(...) as.numeric(binom.test(x, n, ...)$conf.int)
  list(
    interval_95 = limits(),
    interval_99 = limits(conf.level = 0.99),
    upper_95 = limits(alternative = "less")[2],
    lower_95 = limits(alternative = "greater")[1]
  )
}

# The likeliest p0 with p1 = p0 + delta. The log-likelihood is concave: its slope is halved down to the turning point.
restricted <- function(x1, n1, x0, n0, delta) {
  part <- function(count, p) if (count > 0) count / p else 0
  low <- max(0, -delta)
  high <- min(1, 1 - delta)
  for (i in 1:200) {
    p <- (low + high) / 2
    slope <- part(x1, p + delta) - part(n1 - x1, 1 - p - delta) + part(x0, p) - part(n0 - x0, 1 - p)
    if (slope > 0) low <- p else high <- p
  }
  (low + high) / 2
}

score <- function(x1, n1, x0, n0, delta) {
  p0 <- restricted(x1, n1, x0, n0, delta)
  p1 <- p0 + delta
  variance <- (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)
  (x1 / n1 - x0 / n0 - delta) / sqrt(variance)
}

miettinen <- function(x1, n1, x0, n0, level) {
  estimate <- x1 / n1 - x0 / n0
  z <- qnorm(0.5 + level / 2)
  # From just beside the estimate, where the statistic is 0, to just inside the end of the range.
  limit <- function(side) {
    beside <- estimate + side * 1e-9
    end <- side * (1 - 1e-12)
    if (side * beside >= 1) return(side)
    beyond <- function(delta) score(x1, n1, x0, n0, delta) + side * z
    uniroot(beyond, sort(c(beside, end)), tol = 1e-16, maxiter = 1e4)$root
  }
  c(limit(-1), limit(1))
}

tested <- function(x1, n1, x0, n0) {
  # Nobody or everybody with an event leaves nothing to divide by.
  z <- if ((x1 + x0) %in% c(0, n1 + n0)) 0 else score(x1, n1, x0, n0, 0)
  list(statistic = z, two_sided = 2 * pnorm(-abs(z)), greater = pnorm(z, lower.tail = FALSE), less = pnorm(z))
}

fisher <- function(x1, n1, x0, n0) {
  table <- matrix(c(x1, n1 - x1, x0, n0 - x0), 2)
  sided <- function(side) fisher.test(table, alternative = side, conf.int = FALSE)$p.value
  chance <- dhyper(max(0, x1 + x0 - n0):min(n1, x1 + x0), n1, n0, x1 + x0)
  seen <- dhyper(x1, n1, n0, x1 + x0)
  alike <- abs(chance / seen - 1) < 1e-7
  list(
    two_sided = sided("two.sided"),
    greater = sided("greater"),
    less = sided("less"),
    mid_two_sided = sum(chance[chance < seen & !alike]) + sum(chance[alike]) / 2,
    mid_greater = phyper(x1, n1, n0, x1 + x0, lower.tail = FALSE) + seen / 2,
    mid_less = phyper(x1 - 1, n1, n0, x1 + x0) + seen / 2
  )
}

analysed <- function(case) {
  row <- as.list(data[data$case == case, -1])
  counts <- unname(row)
  list(
    estimate = row$events / row$n,
    clopper = clopper(row$events, row$n),
    difference = row$events / row$n - row$reference_events / row$reference_n,
    interval_95 = do.call(miettinen, c(counts, 0.95)),
    interval_80 = do.call(miettinen, c(counts, 0.80)),
    score = do.call(tested, counts),
    fisher = do.call(fisher, counts)
  )
}

emit(setNames(lapply(data$case, analysed), data$case))
