"""Arithmetic that can be done again and comes out otherwise.

Two checks: an equation in the response that does not hold, and a task that is a plain sum whose right result stands
nowhere in the response. Both keep still unless they are certain: rounding, unknowns, mixed numbers, ranges, puzzles
with rules of their own, other number systems and examples of mistakes pass.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from statistics import median
from typing import ClassVar, TypeGuard

from curation.filters.calculator import NUMBER, decimals, number, value
from curation.filters.findings import evidence
from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

_OPERATOR = r"(?:\*\*|[-+\u2212*/x\u00d7\u00f7\u00b7^])"
_OPERAND = rf"[(\[]*-?{NUMBER}[)\]]*"
_EXPRESSION = rf"{_OPERAND}(?:(?: ?{_OPERATOR} ?|(?=\()){_OPERAND}){{1,12}}"
_EQUATION = re.compile(
    rf"(?<![\w.,)\]=^%\u221a\u00b0'\"|:/*+-])(?P<left>{_EXPRESSION}) ?= ?(?P<right>-?{NUMBER})"
    r"(?![\w,.%]*\d| \d|[\w(^%\u00b0'\"!:|/]| ?[-+*/\u00d7\u00f7\u00b7^=\u2212(]| ?x\b| ?(?:rem|r\b|mod|million|"
    r"billion|thousand))",
)
_BEFORE = re.compile(
    r"(?:[-+*/x\u00d7\u00f7\u00b7^=\u2212(\[<>\u221a\u222b,]|\b(?:of|mod|[a-zA-Z]|log|sqrt|root|sin|cos|tan|million|times|"
    r"plus|minus|by|from|pi|base|to|per))\s*\Z",
    re.IGNORECASE,
)
"""What makes the numbers after it a part of something larger."""
_MIXED = re.compile(r"\d\s*\Z")
"""A number right before an expression: "2 1/2" is one number."""
_RANGE = re.compile(r"(?P<low>\d+)-(?P<high>\d+)(?:/(?P<of>\d+))?")
"""What may be no subtraction: "90-100 = 4.0", "Ages 3-5 = 10 minutes", "2-1/2 = 2.5"."""
_OTHER_RULES = re.compile(
    r"\b(?:wrong|incorrect|error|false|mistake|not true|binary|octal|hex\w*|modulo?|clock|round\w*|estimat\w+|"
    r"puzzle|riddle|"
    r"pattern|rule|logic|matrix|vector|code|program|function|approximat\w+|simplif\w+ ratio|base \d|boolean|roman)\b",
    re.IGNORECASE,
)
"""Tasks in which an equation may stand that does not hold, or holds by rules of its own."""
_DECIMAL = re.compile(r"\d\.\d")
_ABOUT = re.compile(r"about|approx|roughly|around|nearly|almost|\u2248|~", re.IGNORECASE)
LOOK_BACK = 24
"""Characters before an equation that are looked at."""
ROUNDED = Fraction(1, 100)
"""How far a result may be off, as a share of it, where numbers with decimals went in or came out."""
LONGEST_NUMBER = 200
"""Characters of the longest number that is read, and digits of the largest result that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquationWrong:
    """The response holds an equation of plain numbers that is not true.

    Source: AlpacaDataCleaned, "wrong answers": of its arithmetic four in five were wrong.
    """

    code: ClassVar[str] = "equation_wrong"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first such equation, with both values."""
        response = record.response
        if "=" not in response or _OTHER_RULES.search(record.instruction):
            return None
        for match in _EQUATION.finditer(response):
            result = _wrong(match, response)
            if result is None or match.group() in record.instruction or match.group() in record.context:
                continue
            found, limit = evidence(match.group()), f"{match['left'].strip()} = {_written(result)}"
            return Reason(code=self.code, field="response", found=found, limit=limit, span=match.span())
        return None


def _wrong(match: re.Match[str], text: str) -> Fraction | None:
    """Return what the left side comes to where the right side is certainly something else."""
    left, right = match["left"], match["right"]
    before = text[max(match.start() - LOOK_BACK, 0) : match.start()]
    line = before[before.rfind("\n") + 1 :]
    if _BEFORE.search(line) or _ABOUT.search(line) or not set(re.sub(r"\D", "", left + right)) - {"0", "1"}:
        return None
    if "%" in left and re.search(r"[-+]", left):  # "$9 - 10%" is $8.10 to some people
        return None
    if _MIXED.search(line) or _is_range(left, right):
        return None
    result = value(left)
    if not _is_judged(result) or _agree(result, right, left):
        return None
    return result


def _is_range(left: str, right: str) -> bool:
    """Say whether the left side is a range that the right side tells of, or a mixed number."""
    match = _RANGE.fullmatch(left[:LONGEST_NUMBER])
    if match is None:
        return False
    low, high = int(match["low"]), int(match["high"])
    if match["of"]:
        return high < int(match["of"])
    return (low < high and not right.startswith("-")) or "." in right


def _is_judged(result: Fraction | None) -> TypeGuard[Fraction]:
    """Say whether there is a result, and one that a number which is read could be."""
    return result is not None and abs(result) < 10**LONGEST_NUMBER


def _agree(result: Fraction, written: str, inputs: str = "") -> bool:
    """Say whether a number in a text is this result, allowing for rounding and for per cent left out."""
    written = written[:LONGEST_NUMBER] if "." in written[:LONGEST_NUMBER] else written
    if len(written) > LONGEST_NUMBER:  # larger than any result that is judged, and Python reads 4300 digits at most
        return False
    sign = -1 if written.startswith("-") else 1
    here = sign * number(written.lstrip("-"))
    inexact = result.denominator != 1 or _DECIMAL.search(inputs) is not None
    rough = ROUNDED * abs(result) if inexact or "." in written else Fraction(0)
    step = Fraction(1, 10 ** decimals(written)) if inexact else Fraction(0)
    scales = (1, 100, Fraction(1, 100)) if "%" in written or "%" in inputs or "100" in inputs else (1,)
    return any(abs(result - here * scale) <= max(rough, step * scale) for scale in scales)


def _written(result: Fraction) -> str:
    return str(result.numerator) if result.denominator == 1 else f"{float(result):.6g}"


_NUMBERS = re.compile(rf"(?<![\w.,])-?{NUMBER}(?![\w]|[.,]\d)")
_NEGATIVE = re.compile(rf"-{NUMBER}(?![\w]|[.,]\d)")
_BELOW_ZERO = re.compile(r"(?:\b(?:negative|minus)|[-\u2212])\s*(?=[$\u20ac\u00a3]?\d)", re.IGNORECASE)
"""What says that the number after it is below zero, unless it takes it away from another."""
_POWERS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_LARGE = re.compile(
    rf"(?<![\w.,])(?P<number>-?{NUMBER})(?:[ -]?(?P<word>{'|'.join(_POWERS)})\b"
    r"|(?: ?[x\u00d7*\u00b7] ?10 ?(?:\^|\*\*)? ?\(?|e\+?)"
    r"(?P<power>\d{1,2}|[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,2})(?!\d))",
    re.IGNORECASE,
)
"""A number that is written short: "120 billion", "1.2 x 10^11", "1.2e11"."""
_N = rf"(-?{NUMBER})"
_LIST = rf"(?P<list>-?{NUMBER}(?:(?:, ?and |,? and |, ?| )-?{NUMBER})+)"
_ASK = (
    r"(?:(?:please )?(?:calculate|compute|find|determine|evaluate|work out|solve|give|what is|what's|output|get|"
    r"state|tell me|"
    r"perform)(?: me)?:? )"
)
_THINGS = (
    r"(?:(?:the |these |this |those |following |given |a |an |set of |list of |array of |series of |group of |"
    r"two |three |"
    r"four |five )?){0,4}?(?:numbers?|integers?|values?|list|array|set|numeric values)?"
)
_END = r"\s*[.?!]?\s*(?:without (?:using )?a calculator)?\s*[.?!]?"


def _total(one: Sequence[Fraction]) -> Fraction:
    return sum(one, Fraction(0))


def _product(many: Sequence[Fraction]) -> Fraction:
    return prod(many, start=Fraction(1))


def _mean(many: Sequence[Fraction]) -> Fraction:
    return _total(many) / len(many)


def _median(many: Sequence[Fraction]) -> Fraction:
    return Fraction(median(many))


_WORD_FORMS: tuple[tuple[re.Pattern[str], Callable[[Fraction, Fraction], Fraction]], ...] = tuple(
    (re.compile(rf"(?:{form}){_END}", re.IGNORECASE), work)
    for form, work in (
        (rf"{_ASK}?(?:the )?(?:product of |multiply ){_N} (?:and|by|with|times) {_N}", lambda a, b: a * b),
        (rf"{_ASK}{_N} (?:times|multiplied by) {_N}", lambda a, b: a * b),
        (rf"{_ASK}?(?:the )?(?:sum of |add )(?:the numbers )?{_N} (?:and|to|plus|with) {_N}", lambda a, b: a + b),
        (rf"{_ASK}{_N} plus {_N}", lambda a, b: a + b),
        (rf"subtract {_N} from {_N}", lambda a, b: b - a),
        (rf"{_ASK}{_N} minus {_N}", lambda a, b: a - b),
        (rf"{_ASK}?(?:divide )?{_N} (?:divided )?by {_N}", lambda a, b: a / b),
        (rf"{_ASK}?(\d[\d.]*%) of {_N}", lambda a, b: a * b),
    )
)
_LIST_FORMS: tuple[tuple[re.Pattern[str], Callable[[Sequence[Fraction]], Fraction]], ...] = tuple(
    (re.compile(rf"(?:{form}) ?{_THINGS}[:,]? ?\W{{0,3}}{_LIST}\W{{0,3}}{_END}", re.IGNORECASE), work)
    for form, work in (
        (rf"{_ASK}the (?:total )?sum (?:of|for)|add(?: up| together)?", _total),
        (rf"{_ASK}the (?:arithmetic )?(?:average|mean) (?:of|for)", _mean),
        (rf"{_ASK}the product (?:of|for)", _product),
        (rf"{_ASK}the median (?:of|for|in|from)", _median),
    )
)
_EXPRESSION_FORM = re.compile(
    rf"(?:{_ASK}(?:the )?(?:result of |value of |answer to |sum of |product of )?(?:the |this |following |given |"
    rf"mathematical |"
    r"arithmetic |numerical |math )*(?:expression|problem|calculation|equation|operation|sum|result|value|answer)?"
    rf"(?: of)?:? ?)(?P<expression>{_EXPRESSION}) ?=?{_END}",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_FIRST_WORDS = (
    "please", "calculate", "compute", "find", "determine", "evaluate", "work", "solve", "give", "what", "output", "get",
    "state", "tell", "perform", "add", "multiply", "divide", "subtract", "the ", "product", "sum",
)  # fmt: skip
LONGEST = 160
"""Characters of the longest task that is read as a plain sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMiscalculated:
    """The task is a plain calculation, and its result stands nowhere in the response.

    Expressions, sums, averages, medians and products of lists, per cent, and "divide 96 by 4". Source:
    AlpacaDataCleaned, "wrong answers".
    """

    code: ClassVar[str] = "answer_miscalculated"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the number found and the one expected."""
        if len(record.instruction) + len(record.context) > LONGEST or not view(record).asks_with_digits:
            return None
        if not record.instruction.lower().lstrip().startswith(_FIRST_WORDS):
            return None
        task = _SPACES.sub(" ", f"{record.instruction.strip()} {record.context.strip()}").strip()
        result = _result(task)
        if not _is_judged(result) or _OTHER_RULES.search(task):
            return None
        numbers = set(_NUMBERS.findall(record.response))
        if not numbers or "/" in record.response or any(_agree(result, one, task) for one in numbers):
            return None
        if _is_written_otherwise(result, record.response, task):
            return None
        return Reason(code=self.code, field="response", found=evidence(record.response), limit=_written(result))


def _is_written_otherwise(result: Fraction, response: str, task: str) -> bool:
    """Say whether the result stands there with its sign in words or apart from it, or as so many thousands."""
    if result < 0:
        response = _BELOW_ZERO.sub("-", response)
        if any(_agree(result, one, task) for one in set(_NEGATIVE.findall(response))):
            return True
    return any(_is_short_for(result, match) for match in _LARGE.finditer(response))


def _is_short_for(result: Fraction, match: re.Match[str]) -> bool:
    """Say whether a number written short is this result, to the decimals that it has."""
    written = match["number"]
    if len(written) > LONGEST_NUMBER:
        return False
    word = match["word"]
    scale: int = 10 ** (_POWERS[word.lower()] if word else int(match["power"].translate(_RAISED)))
    return abs(result - _signed(written) * scale) <= Fraction(scale, 2 * 10 ** decimals(written))


def _result(task: str) -> Fraction | None:
    """Return what the task's calculation comes to; nothing where it is none that can be read whole."""
    if match := _EXPRESSION_FORM.fullmatch(task):
        return value(match["expression"])
    for form, pair in _WORD_FORMS:
        if match := form.fullmatch(task):
            first, second = (_signed(group) for group in match.groups())
            return pair(first, second) if second else None
    for listed, many in _LIST_FORMS:
        if match := listed.fullmatch(task):
            return many([_signed(one) for one in re.findall(rf"-?{NUMBER}", match["list"])])
    return None


def _signed(text: str) -> Fraction:
    return -number(text[1:]) if text.startswith("-") else number(text)
