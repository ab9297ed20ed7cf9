"""Thousands of simulated trials through the analyses of the protocol, against bands written beforehand."""
