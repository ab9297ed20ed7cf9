# Mean cumulative function in R: survival::survfit with an id, whose standard error is the robust one.
# needs: survival
# Run in this folder: Rscript mean_cumulative.R > mean_cumulative.json

source("../emit.R")
library(survival)

data <- read.csv("mean_cumulative.csv", stringsAsFactors = FALSE)

case <- function(name) {
  part <- data[data$case == name, ]
  fit <- survfit(Surv(begin, stop, event) ~ 1, data = part, id = person, robust = TRUE)
  seen <- fit$n.event > 0
  list(time = array(fit$time[seen]), mean = array(fit$cumhaz[seen]), error = array(fit$std.chaz[seen]),
       at_risk = array(fit$n.risk[seen]))
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
