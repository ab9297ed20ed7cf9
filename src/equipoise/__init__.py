"""equipoise: plan, rehearse, run, analyse and report a small randomised placebo-controlled trial from one protocol file."""
