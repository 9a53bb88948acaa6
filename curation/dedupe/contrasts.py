"""The words that tell alike prompts apart, as tables to read and to extend; `verify` says how they are compared.

A line of a table is one meaning: its name and the other words for it, in English and in the singular.
"""

NUMBERS = (
    "0 zero", "1 first", "2 two second couple pair twice", "3 three third", "4 four fourth", "5 five fifth",
    "6 six sixth", "7 seven seventh", "8 eight eighth", "9 nine ninth", "10 ten tenth", "11 eleven eleventh",
    "12 twelve twelfth dozen", "15 fifteen", "20 twenty", "30 thirty", "50 fifty", "100 hundred", "1000 thousand",
)  # fmt: skip
"""Words that are numbers. Not "one": "one example" asks for no more than "an example"."""

OPPOSITES = (
    ("advantage benefit pro upside strength", "disadvantage drawback con downside weakness"),
    ("cause reason", "effect consequence impact"),
    ("similarity", "difference"),
    ("positive", "negative"),
    ("increase improve raise maximize", "decrease reduce lower minimize"),
    ("largest biggest greatest highest longest maximum max most", "smallest least lowest shortest minimum min"),
    ("ascending", "descending"),
    ("synonym", "antonym"),
    ("past", "present", "future"),
    ("active", "passive"),
    ("formal", "informal"),
    ("singular", "plural"),
    ("even", "odd"),
    ("mean average", "median", "mode"),
    ("add addition sum", "subtract subtraction", "multiply multiplication product", "divide division quotient"),
    ("area", "perimeter circumference", "volume"),
    ("noun", "verb", "adjective", "adverb"),
    ("before", "after"),
    ("internal", "external"),
    ("man men male boy", "woman women female girl"),
    ("encode encrypt", "decode decrypt"),
    ("binary", "decimal", "hexadecimal", "octal"),
)
"""Words that exclude each other: where both prompts take sides, they must be the same sides."""

ASPECTS = (
    "summary summarize summarise overview", "review critique", "theme", "plot event", "author wrote writer", "setting",
    "cite citation", "title headline", "fact", "why reason cause benefit advantage", "history historical",
    "significance", "component element part", "example", "classify categorize category", "query", "essay", "paragraph",
    "story tale narrative", "email", "speech", "dialogue conversation", "song lyric", "poem poetry haiku",
    "slogan tagline", "tweet", "joke", "recipe", "survey questionnaire", "proposal", "blog article",
)  # fmt: skip
"""What is asked for: where both prompts name some, they must share one."""

DEMANDS = (
    "code script | program function algorithm method query", "poem poetry | haiku", "haiku", "acrostic", "limerick",
    "sonnet", "rhyme", "translate translation translated",
    "compare comparison contrast difference similarity | different",
    "rewrite rephrase paraphrase reword | edit change modify adapt remove re", "classify categorize category",
    "python", "java", "javascript", "sql", "html", "css", "json", "csv", "xml", "table",
)  # fmt: skip
"""What a response must be or do: where one prompt demands it, so must the other, or name what stands after the bar."""

UNITS = (
    "mm millimeter", "cm centimeter", "m meter", "km kilometer", "inch", "ft foot feet", "mi mile", "g gram",
    "kg kilogram", "lb pound", "l liter", "ml milliliter", "c celsius", "f fahrenheit", "kelvin", "min minute", "hour",
    "day", "week", "month", "percent", "dollar", "euro",
)  # fmt: skip
"""Where both prompts measure, they must share a unit. One of one or two letters counts after a number only."""

FILLING = frozenset((
    "a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "is", "are", "be", "this", "that", "it", "its",
    "with", "as", "by", "from", "at", "given", "following", "below", "text", "article", "sentence", "what", "which",
))  # fmt: skip
"""Words that carry no material."""
