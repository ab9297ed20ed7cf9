"""Print how often each analysis rejects where there is nothing to find, its interval holds the truth, a word is said.

    python -m verification.trials [trials]

Beside each band stand the nearest rates below and above it that so many trials would find with a chance of 90 %. Then
the stored chances of every word are compared with what is counted anew. The exit status is 1 where a rate lies outside
its band by the calibration rule, or a stored one outside the new interval.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from verification.trials.bands import Rate, read_bands
from verification.trials.campaign import Campaign, Found, rates, simulated
from verification.trials.chances import CAMPAIGNS, Compared, compared

OUT = Path(__file__).parents[1] / "out" / "trials.json"


def line(rate: Rate) -> str:
    """One row of the printed table."""
    band, interval, finds = (
        f"{100 * low:.{digits}f} to {100 * high:.{digits}f}"
        for (low, high), digits in ((rate.band.band, 1), (rate.interval, 2), (rate.finds, 1))
    )
    word = "yes" if rate.ok else "NO"
    head = f"{rate.band.id:28} {rate.trials:7} {100 * rate.rate:8.2f}"
    return f"{head} {interval:>16} {band:>12} {finds:>13} {rate.refused:8}  {word}"


def main(trials: int | None = None) -> int:
    """Run, print, write; ``trials`` of each, with a file of its own, or as many as the bands say."""
    heading = f"{'band of':28} {'trials':>7} {'% hits':>8} {'99.9 % interval':>16} {'band':>12} {'found':>13}"
    sys.stdout.write(f"{heading} {'no p':>8}  ok\n")
    found: list[Rate] = []
    done: dict[Campaign, Found] = {}
    for campaign, answers, items in rates(read_bands(), trials):
        found += items
        sys.stdout.write("".join(line(rate) + "\n" for rate in items))
        sys.stdout.flush()
        done[campaign] = answers
    stored = _stored(done, trials)
    OUT.parent.mkdir(exist_ok=True)
    rows = [{"id": r.band.id, "trials": r.trials, "rejected": r.rejected, "no_p": r.refused, "ok": r.ok} for r in found]
    path = OUT if trials is None else OUT.with_name("trials-quick.json")
    path.write_text(json.dumps({"rates": rows}, indent=1) + "\n", "utf-8")
    return int(not all(item.ok for item in (*found, *stored)))


def _stored(done: dict[Campaign, Found], trials: int | None) -> list[Compared]:
    """The stored chances counted anew; of fewer trials those without effect alone, which the bands have simulated."""
    rows: list[Compared] = []
    for campaign in CAMPAIGNS:
        own = campaign if trials is None else Campaign(campaign.scenario, campaign.changes, campaign.seed, trials)
        if trials is not None and own not in done:
            continue
        answers = done.get(own) or simulated(own, (), words=True)
        items = list(compared(own, answers))
        rows += items
        wrong = [item for item in items if not item.ok]
        sys.stdout.write(
            f"chances of {own.scenario}: {len(items)} stored rates, {len(wrong)} outside the new interval\n"
        )
        for item in wrong:
            low, high = item.interval
            what = f"{item.claim} {item.word!r}"
            sys.stdout.write(f"  {what}: stored {100 * item.stored:.2f} %, now {100 * low:.2f} to {100 * high:.2f} %\n")
        sys.stdout.flush()
    return rows


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
