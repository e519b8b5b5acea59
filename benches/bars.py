"""What Upshift is to reach: each part of run.py says what it measured and what is wanted; shown as one table at the end."""

from measure import Table

rows = []


def at_most(what, value, limit):
    """A bar for something that is better when lower; nothing when it was not measured."""
    if value is not None:
        rows.append((what, value, f"<= {limit:g}", "yes" if value <= limit else "NO"))


def at_least(what, value, limit):
    """A bar for something that is better when higher."""
    if value is not None:
        rows.append((what, value, f">= {limit:g}", "yes" if value >= limit else "NO"))


def told(what, value):
    """A figure that is to be known, without a bar."""
    if value is not None:
        rows.append((what, value, "-", "-"))


def table() -> Table:
    """All bars whose figures were measured; ratios of Upshift to a peer are better when lower, speeds when higher."""
    found = Table("Bars", ["bar", "measured", "wanted", "reached"])
    for row in rows:
        found.add(*row)
    return found
