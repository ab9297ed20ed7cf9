# Seconds of a fit in R: Rscript peers.R CASE FILE; prints "seconds X", the median of several runs after a first one.
suppressPackageStartupMessages({
  library(nlme)
  library(MASS)
})
arguments <- commandArgs(trailingOnly = TRUE)
timed <- function(run, times = 5) {
  run()
  found <- vapply(seq_len(times), function(i) system.time(run())[["elapsed"]], 0)
  cat("seconds", median(found), "\n")
}
data <- read.csv(arguments[2])
repeated <- function(formula, times = 5) {
  data <<- data[complete.cases(data), ]
  timed(function() {
    gls(formula, data, correlation = corSymm(form = ~ as.integer(factor(visit)) | id),
        weights = varIdent(form = ~ 1 | visit))
  }, times)
}
if (arguments[1] == "fev") {
  data <- data.frame(y = data$FEV1, race = data$RACE, sex = data$SEX, arm = data$ARMCD, visit = data$AVISIT,
                     id = data$USUBJID)
  repeated(y ~ race + sex + arm * visit)
} else if (arguments[1] == "small") {
  data <- data[data$sim == 1, ]
  repeated(y ~ base * visit + arm * visit)
} else if (arguments[1] == "many") {
  repeated(as.formula(paste("y ~ factor(visit) * arm +", paste0("x", 1:5, collapse = " + "))), 1)
} else if (arguments[1] == "counts") {
  timed(function() glm.nb(y ~ arm + offset(log(years)), data), 15)
} else {
  stop("no such case")
}
