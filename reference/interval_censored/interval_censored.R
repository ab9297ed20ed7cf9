# Grouped proportional hazards in R: glm with a complementary log-log link on one row a person and interval; where
# intervals span several visits, which glm cannot, the likelihood as it is written, by optim.
# Run in this folder: Rscript interval_censored.R > interval_censored.json

source("../emit.R")

data <- read.csv("interval_censored.csv", stringsAsFactors = FALSE)
tight <- glm.control(epsilon = 1e-15, maxit = 500)

person_period <- function(part) {
  pieces <- lapply(seq_len(nrow(part)), function(i) {
    event <- !is.na(part$first_with[i])
    count <- if (event) part$first_with[i] else part$last_without[i]
    if (count == 0) return(NULL)
    data.frame(interval = seq_len(count), y = as.numeric(event & seq_len(count) == count), arm = part$arm[i],
               age = part$age[i])
  })
  do.call(rbind, pieces)
}

# A hazard that R sends towards 0, as far as its steps go.
chances <- function(level) {
  chance <- 1 - exp(-exp(level))
  array(ifelse(chance < 1e-6, 0, chance))
}

by_glm <- function(part) {
  long <- person_period(part)
  long$interval <- factor(long$interval)
  formula <- if (all(is.na(part$age))) y ~ 0 + interval + arm else y ~ 0 + interval + arm + age
  fit <- glm(formula, data = long, family = binomial("cloglog"), control = tight)
  own <- !grepl("interval", names(coef(fit)))
  reduced <- glm(update(formula, . ~ . - arm), data = long, family = binomial("cloglog"), control = tight)
  list(coefficients = array(unname(coef(fit)[own])), covariance = unname(vcov(fit)[own, own, drop = FALSE]),
       hazards = chances(unname(coef(fit)[!own])), log_likelihood = as.numeric(logLik(fit)),
       likelihood_ratio_p = pchisq(2 * as.numeric(logLik(fit) - logLik(reduced)), 1, lower.tail = FALSE))
}

by_hand <- function(part) {
  covariates <- if (all(is.na(part$age))) cbind(part$arm) else cbind(part$arm, part$age / 10)
  intervals <- max(part$last_without, part$first_with, na.rm = TRUE)
  visit <- seq_len(intervals)
  parts <- function(i, point) {
    # The hazard is a square, so that one of 0 is no edge.
    hazard <- point[visit]^2
    ratio <- exp(sum(covariates[i, ] * point[-visit]))
    end <- part$first_with[i]
    list(ratio = ratio, passed = ifelse(visit <= part$last_without[i], hazard * ratio, 0), event = !is.na(end),
         within = !is.na(end) & visit > part$last_without[i] & visit <= end, hazard = hazard)
  }
  minus <- function(point) {
    -sum(vapply(seq_len(nrow(part)), function(i) {
      p <- parts(i, point)
      span <- sum((p$hazard * p$ratio)[p$within])
      -sum(p$passed) + if (p$event) log(1 - exp(-span)) else 0
    }, 0))
  }
  slope <- function(point) {
    -rowSums(vapply(seq_len(nrow(part)), function(i) {
      p <- parts(i, point)
      span <- sum((p$hazard * p$ratio)[p$within])
      odds <- if (p$event) 1 / (exp(span) - 1) else 0
      by_hazard <- p$ratio * (odds * p$within - (visit <= part$last_without[i]))
      c(2 * point[visit] * by_hazard, sum(p$hazard * by_hazard) * covariates[i, ])
    }, 0 * point))
  }
  point <- c(rep(0.5, intervals), rep(0, ncol(covariates)))
  for (again in 1:5) {
    point <- optim(point, minus, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000))$par
  }
  own <- point[-visit]
  if (length(own) > 1) own[2] <- own[2] / 10
  list(coefficients = array(own), hazards = chances(2 * log(abs(point[visit]))),
       log_likelihood = -minus(point))
}

case <- function(name) {
  part <- data[data$case == name, ]
  spans <- any(part$first_with - part$last_without > 1, na.rm = TRUE)
  if (spans) by_hand(part) else by_glm(part)
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
