# Descriptive statistics in R: mean, sd, quantile(type = 2), table.
# needs:
# Run in this folder: Rscript describe.R > describe.json

source("../emit.R")

data <- read.csv("describe.csv", stringsAsFactors = FALSE, na.strings = "")

some <- function(f, values) if (length(values) == 0) NA_real_ else f(values)

described <- function(case) {
  rows <- data[data$case == case, ]
  seen <- rows$value[!is.na(rows$value)]
  probabilities <- c(0, 0.05, 0.1, 0.3, 1 / 3, 0.7, 0.9, 1)
  counts <- table(factor(rows$sex, levels = c("female", "male")), useNA = "always")
  list(
    n = length(seen),
    missing = sum(is.na(rows$value)),
    mean = some(mean, seen),
    sd = some(sd, seen),
    quartiles = array(unname(quantile(seen, c(0.25, 0.5, 0.75), type = 2))),
    # As most plotting programs compute them; kept to show that the definition matters.
    quartiles_type_7 = array(unname(quantile(seen, c(0.25, 0.5, 0.75), type = 7))),
    probabilities = probabilities,
    quantiles = array(unname(quantile(seen, probabilities, type = 2))),
    minimum = some(min, seen),
    maximum = some(max, seen),
    female = counts[[1]],
    male = counts[[2]],
    unknown = counts[[3]],
    proportions = array(as.numeric(prop.table(counts[1:2])))
  )
}

cases <- unique(data$case)
emit(setNames(lapply(cases, described), cases))
