"""Sums that come out wrong, in an equation, in a sentence or as a bare number."""

from dataclasses import replace

from curation.audit.host import Host, answering, asking
from schemas.record import InstructionRecord

GOODS = ("apples", "books", "tickets", "pens", "boxes", "chairs", "bottles", "shirts", "plates", "lamps")


def wrong_sum(host: Host) -> InstructionRecord:
    """The task is a sum, and the result is near the right one."""
    rng = host.rng
    a, b = rng.randint(12, 99), rng.randint(3, 60)
    sign, result = rng.choice((("+", a + b), ("-", a - b), ("*", a * b), ("\u00d7", a * b)))
    off = rng.choice((-10, -2, -1, 1, 2, 10, 100))
    form = rng.choice(("{a} {s} {b} = {r}", "{a} {s} {b} = {r}.", "The answer is {a} {s} {b} = {r}."))
    asked = rng.choice(("What is {a} {s} {b}?", "Calculate {a} {s} {b}.", "Work out the result of {a} {s} {b}."))
    record = answering(host, form.format(a=a, s=sign, b=b, r=result + off))
    return replace(record, instruction=asked.format(a=a, s=sign, b=b), context="")


def wrong_result(host: Host) -> InstructionRecord:
    """The task is a sum, and the whole answer is a number that is not its result."""
    a, b = host.rng.randint(12, 99), host.rng.randint(12, 99)
    sign, result = host.rng.choice((("+", a + b), ("-", a - b), ("*", a * b)))
    asked = host.rng.choice(("What is {a} {s} {b}?", "Calculate {a} {s} {b}.")).format(a=a, s=sign, b=b)
    said = host.rng.choice(("{r}", "The answer is {r}.", "{r}.")).format(
        r=result + host.rng.choice((-10, -1, 1, 2, 10))
    )
    return replace(host.record, instruction=asked, context="", response=said)


def wrong_step(host: Host) -> InstructionRecord:
    """A word problem is solved in a sentence with a sum that is wrong."""
    rng = host.rng
    each, many, goods = rng.randint(3, 25), rng.randint(4, 40), rng.choice(GOODS)
    wrong = each * many + rng.choice((-each, each, 10, -1, 1))
    asked = f"A shop sells {goods} at {each} dollars each. How much do {many} {goods} cost?"
    said = f"Each of the {goods} costs {each} dollars, so {many} of them cost {many} * {each} = {wrong} dollars."
    return asking(replace(host, record=answering(host, said)), asked, "")
