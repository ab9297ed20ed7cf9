# Student's and Welch's t in R: t.test.
# needs:
# Run in this folder: Rscript t_interval.R > t_interval.json

source("../emit.R")

data <- read.csv("t_interval.csv", stringsAsFactors = FALSE)

numbers <- function(found) {
  list(
    estimate = if (length(found$estimate) == 2) unname(found$estimate[1] - found$estimate[2]) else unname(found$estimate),
    standard_error = found$stderr,
    df = unname(found$parameter),
    interval = as.numeric(found$conf.int),
    statistic = unname(found$statistic),
    p = found$p.value
  )
}

# t.test stops where the data are constant or too few; its words are the answer then.
tried <- function(...) tryCatch(numbers(t.test(...)), error = function(e) list(error = conditionMessage(e)))

one_sided <- function(...) {
  list(
    greater = tried(..., alternative = "greater")$p,
    less = tried(..., alternative = "less")$p
  )
}

analysed <- function(case) {
  rows <- data[data$case == case, ]
  a <- rows$value[rows$sample == "a"]
  b <- rows$value[rows$sample == "b"]
  found <- list(
    one = tried(a),
    one_against = tried(rows$value, mu = 1.5, conf.level = 0.9),
    one_sided = one_sided(rows$value, mu = 1.5),
    welch = tried(a, b),
    welch_99 = tried(a, b, conf.level = 0.99),
    welch_sided = one_sided(a, b),
    pooled = tried(a, b, var.equal = TRUE),
    pooled_against = tried(a, b, var.equal = TRUE, mu = -0.25)
  )
  if (!all(is.na(rows$before))) {
    found$paired <- tried(rows$value, rows$before, paired = TRUE)
    found$paired_sided <- one_sided(rows$value, rows$before, paired = TRUE)
  }
  found
}

cases <- unique(data$case)
emit(setNames(lapply(cases, analysed), cases))
