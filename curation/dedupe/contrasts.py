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
    ("name", "describe explain discuss"),
    ("employer interviewer", "employee interviewee"),
    ("encode encrypt", "decode decrypt"),
    ("binary", "decimal", "hexadecimal", "octal"),
)
"""Words that exclude each other: where both prompts take sides, they must be the same sides."""

ASPECTS = (
    "summary summarize summarise overview", "review critique", "theme", "plot event", "author wrote writer",
    "setting", "cite citation", "title headline", "fact", "why reason cause benefit advantage",
    "history historical", "significance", "component element part", "example", "classify categorize category",
    "query", "essay", "paragraph", "story tale narrative", "email", "speech", "dialogue conversation", "song lyric",
    "poem poetry haiku", "slogan tagline", "tweet", "joke", "recipe", "survey questionnaire", "proposal",
    "blog article", "work mechanism process", "usage", "kind type", "tip advice", "step guide",
    "definition define meaning", "report", "letter", "password", "experiment", "analysis analyze analyse", "origin",
    "adjective", "metaphor", "simile", "analogy",
)  # fmt: skip
"""What is asked for: where both prompts name some, they must share one."""

LENGTHS = (
    "short brief briefly concise concisely", "long lengthy", "detail detailed elaborate", "simple simply layman",
    "sentence", "paragraph", "page", "word", "line",
)  # fmt: skip
"""How much is asked for: such a word is never a mere addition."""

DEMANDS = (
    "code script program | function algorithm method query",
    "poem poetry | haiku", "haiku", "acrostic", "limerick", "sonnet", "rhyme", "translate translation translated",
    "compare comparison contrast difference similarity | different",
    "rewrite rephrase paraphrase reword | edit change modify adapt remove re", "classify categorize category",
    "python", "java", "javascript", "sql", "html", "css", "json", "csv", "xml", "table",
)  # fmt: skip
"""What a response must be or do: where one prompt demands it, so must the other, or name what stands after the bar."""

PROCEDURES = frozenset(("algorithm", "code", "script", "program", "function", "method", "technique", "procedure"))
"""Where one prompt asks for an algorithm, the other must name one of these."""

UNITS = (
    "mm millimeter", "cm centimeter", "m meter", "km kilometer", "inch", "ft foot feet", "mi mile", "g gram",
    "kg kilogram", "lb pound", "l liter", "ml milliliter", "c celsius", "f fahrenheit", "kelvin", "min minute", "hour",
    "day", "week", "month", "percent", "dollar", "euro",
)  # fmt: skip
"""Where both prompts measure, they must share a unit. One of one or two letters counts after a number only."""

SYNONYMS = (
    "benefit advantage pro upside positive",
    "importance important significance significant necessary essential why",
    "characteristic trait quality attribute", "effect impact consequence affect influence",
    "large largest big biggest great greatest highest most", "earth world globe planet",
    "author wrote writer written", "code program function script method algorithm",
    "difference different differ compare contrast distinguish", "increase improve improvement enhance boost raise",
    "reduce decrease lower cut minimize deal combat relieve", "cause reason why factor led",
    "start begin beginning", "book novel", "ocean sea", "artificial intelligence ai",
    "united state us usa america american", "part component element piece", "buy purchase", "kid child children",
    "job career", "company business firm organization", "quick fast rapid", "error mistake", "picture image photo",
    "car automobile vehicle", "film movie", "joy happiness happy joyful", "summarize summary summarise summarized",
    "calculate compute", "work process mechanism", "detect identify check determine", "average mean",
    "employee worker staff", "client customer", "choose select pick", "convert turn transform",
    "change modify alter edit", "sign symptom indicator", "health healthy", "resource source",
    "rewrite rephrase paraphrase reword", "advertisement advert ad", "correct right fix",
    "classify categorize group", "sort order arrange", "expensive costly", "cheap inexpensive",
    "smart intelligent clever", "kind type sort", "food dish meal", "doctor physician", "house home",
    "travel trip journey", "teach learn", "poem poetry haiku",
    "strategy technique method approach way tactic tip how advice", "solve solution", "number integer",
    "weekly week", "daily day", "yearly annual year", "humorous funny", "analyze analysis analyse",
    "simple simply layman", "convince persuade persuasive encourage", "have own possess", "web website online",
)  # fmt: skip
"""Words that may stand for each other; a word may stand in several lines."""

PLAIN = frozenset((
    # what asks, whatever it asks for
    "answer", "ask", "brainstorm", "build", "can", "check", "come", "compose", "construct", "could", "craft",
    "create", "define", "describe", "design", "determine", "develop", "devise", "discuss", "do", "does", "draft",
    "elaborate", "explain", "find", "formulate", "generate", "give", "help", "identify", "illustrate", "invent",
    "list", "make", "mention", "name", "need", "offer", "outline", "output", "pick", "please", "present", "print",
    "produce", "propose", "provide", "put", "recommend", "recommendation", "return", "share", "should", "show",
    "specify", "state", "suggest", "suggestion", "tell", "understand", "want", "will", "would", "write",
    # what stands for the thing asked for
    "activity", "concept", "description", "example", "explanation", "form", "format", "idea", "instance", "item",
    "list", "mean", "meaning", "meant", "notion", "number", "plan", "process", "sentence", "series", "set",
    "solution", "structure", "style", "term", "thing", "topic",
    # praise and vagueness
    "appropriate", "beautiful", "common", "commonly", "creative", "different", "effective", "few", "general",
    "good", "great", "ideal", "important", "interesting", "key", "main", "major", "many", "meaningful", "most",
    "much", "multiple", "new", "original", "particular", "plausible", "possible", "potential", "proper", "several",
    "significant", "some", "specific", "strong", "successful", "suitable", "top", "unique", "various", "well",
    # what only joins
    "about", "across", "all", "also", "among", "any", "around", "associated", "based", "been", "being", "between",
    "both", "concerning", "connection", "contain", "containing", "did", "during", "each", "had", "has", "have",
    "having", "he", "her", "his", "how", "i", "if", "include", "including", "into", "involve", "involved",
    "involving", "just", "less", "let", "like", "me", "more", "my", "no", "off", "one", "only", "onto", "our",
    "out", "over", "own", "people", "person", "regarding", "related", "she", "so", "someone", "such", "take",
    "than", "that", "their", "them", "then", "there", "these", "they", "those", "through", "together", "up", "us",
    "use", "used", "using", "very", "via", "was", "we", "were", "when", "where", "whether", "who", "whose", "why",
    "within", "you", "your", "yourself",
))  # fmt: skip
"""Words that a prompt can have or lack and still ask for the same."""

FILLING = frozenset((
    "a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "is", "are", "be", "this", "that", "it", "its",
    "with", "as", "by", "from", "at", "given", "following", "below", "text", "article", "what", "which",
))  # fmt: skip
"""Words that carry no material."""
