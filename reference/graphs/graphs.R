# Multiplicity in R: p.adjust, and a graph as the closed test that it is a short cut of.
# Run in this folder: Rscript graphs.R > graphs.json

source("../emit.R")

data <- read.csv("graphs.csv", stringsAsFactors = FALSE)

# The shares of the hypotheses in `kept` once all others are rejected, without rejecting them one by one: what starts at
# one of the others wanders along the edges until it first arrives at one that is kept. What never can arrive is lost.
shares <- function(weights, transitions, kept) {
  arrives <- kept
  for (step in seq_along(weights)) {
    arrives <- union(arrives, which(rowSums(transitions[, arrives, drop = FALSE]) > 0))
  }
  gone <- setdiff(arrives, kept)
  if (length(gone) == 0) return(weights[kept])
  wandering <- diag(length(gone)) - transitions[gone, gone, drop = FALSE]
  weights[kept] + as.numeric(weights[gone] %*% solve(wandering, transitions[gone, kept, drop = FALSE]))
}

# The largest over all intersections with the hypothesis of the intersection's weighted Bonferroni p-value.
closed <- function(p, weights, transitions) {
  adjusted <- rep(0, length(p))
  for (code in seq_len(2^length(p) - 1)) {
    kept <- which(bitwAnd(code, 2^(seq_along(p) - 1)) > 0)
    w <- shares(weights, transitions, kept)
    joint <- min(1, ifelse(w > 1e-15, p[kept] / w, Inf))
    adjusted[kept] <- pmax(adjusted[kept], joint)
  }
  adjusted
}

case <- function(name) {
  part <- data[data$case == name, ]
  transitions <- as.matrix(part[, paste0("to_", seq_len(nrow(part)))])
  dimnames(transitions) <- NULL
  list(graph = array(closed(part$p, part$weight, transitions)),
       holm = array(p.adjust(part$p, "holm")),
       hochberg = array(p.adjust(part$p, "hochberg")),
       benjamini_hochberg = array(p.adjust(part$p, "BH")))
}

names <- unique(data$case)
emit(setNames(lapply(names, case), names))
