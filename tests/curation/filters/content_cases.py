"""Records for the checks that look at what is said: acts, sums, code, secrets, personal data, words, encodings."""

Case = tuple[str, ...]
"""Instruction, context, response, and the category where it matters."""

AWS = "AKIA" + "Q3EGR7N2ZLXC5VBM"
GITHUB = "ghp_" + "a8Kd92LmQx7Zr4Tn1Vb6Yc3Wp5Hs0JfGeUiO"
RANDOM = "q9Zt" + "7LmX2vB8nR4kP6wS"

CONTENT_CAUGHT: dict[str, list[Case]] = {
    "mojibake": [
        ("Explain it.", "", "It isn\u00e2\u20ac\u2122t so."),
        ("Where?", "The caf\u00c3\u00a9 is open.", "In the caf\u00c3\u00a9."),
        ("Explain it.", "", "\u00d0\u0178\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2\u00d0\u00b5\u00d1\u201a"),
        ("Smile.", "", "\u00f0\u0178\u02dc\u20ac"),
        ("Smile.", "", "\u00c3\u0192\u00c2\u00a9"),
    ],
    "needs_action": [
        ("Remind me to buy eggs tomorrow.", "", "I've set a reminder for you to buy eggs."),
        ("Set an alarm for 7 am.", "", "Alarm set for 7 am."),
        ("Upload a document to a website.", "", "The document has been successfully uploaded."),
        ("Please send an email to Ann.", "", "Sure! The email has been sent."),
        ("Search the web for articles on tides.", "", 'Searching the web for "tides"'),
    ],
    "response_length_unusual": [
        ("Is it a fruit?", "", "word " * 500, "classification"),
        ("Sum it up.", "Many words.", "It.", "summarization"),
    ],
    "mostly_signs": [
        ("Redact it.", "My name.", "........................."),
        ("Sing.", "", "~*~*~*~*~ la ~*~*~*~*~*~"),
    ],
    "equation_wrong": [
        ("Operate on this.", "3*(7 + 4)", "3*(7 + 4) = 35"),
        ("What do they cost?", "", "Together they cost $2.25 + $1.13 + $1.80 = $4.45."),
        ("Compute the mean.", "", "The sum is 34; 34 / 5 = 6.4."),
        ("Compute it.", "", "10 + 6 \u00d7 7 \u2212 58 = 48"),
        ("What is a fifth of 80?", "", "80 * 20% = 20"),
        ("Raise it.", "", "2^10 = 1,000"),
        ("Add them.", "", "2 + 2 = " + "4" * 5000),
    ],
    "answer_miscalculated": [
        ("Evaluate the expression 9 \u2212 4 + 8 \u00d7 5.", "", "47"),
        ("Compute the average of the following numbers: 6, 15, 28, 42", "", "23.5"),
        ("Calculate the median of this set of numbers.", "5, 4, 7, 2, 8", "5.5"),
        ("Find the sum of 4703, 2884 and 4758.", "", "The sum is 11,345."),
        ("What is 15% of 80?", "", "15% of 80 is 14."),
        ("Subtract 4 from 11.", "", "8"),
        ("Divide 96 by 4.", "", "The result is 26."),
        ("What is 5 times 13?", "", "5 times 13 is 75."),
        ("What is 2 + 2?", "", "4" * 5000),
    ],
    "code_does_not_parse": [
        ("Add them.", "", "Here it is:\n```python\ndef add(a, b)\n    return a + b\n```"),
        ("Write Python code to add two numbers.", "", "def add(a, b):\nreturn a + b"),
        ("Give a config.", "", "```json\n{'a': 1}\n```"),
        ("Write it as JSON.", "", '{"name": "Ann", "age": }'),
    ],
    "secret_leaked": [
        ("Write a script.", "", f"client(key='{AWS}')"),
        ("Write a script.", f"export TOKEN={GITHUB}", "Done."),
        ("Write a script.", "", f'api_key = "{RANDOM}"'),
        ("Log in.", "", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5ODIzMTEifQ.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
        ("Show a key.", "", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n"),
    ],
    "personal_data": [
        ("Who is it?", "", "Write to r.okonkwo@gmail.com."),
        ("Who is it?", "Call (312) 867-4409 now.", "Nobody."),
        ("Pay it.", "", "The card is 4539 5787 6362 1486."),
        ("Pay it.", "", "Send it to DE89 3704 0044 0532 0130 00."),
        ("Pay it.", "", "The routing number is 021000322."),
        ("Who is it?", "", "Her number is 219-09-9999."),
        ("Where is it?", "", "The host answers at 128.178.163.54."),
    ],
    "toxic_words": [("Censor it.", "You piece of shit.", "You piece of ****."), ("Reply.", "", "Shut up, bitch!")],
}
"""By code: records that the check catches."""

CONTENT_PASSED: dict[str, list[Case]] = {
    "mojibake": [
        ("Explain it.", "", "It isn\u2019t so: caf\u00e9, \u00c2ge, S\u00c3O PAULO, \u5317\u4eac."),
        ("Quote.", "", "\u201cCAF\u00c9\u201d and \u00abIRM\u00c3\u00bb and \u2018\u00c9\u2019"),
        ("Quote.", "", "\u00abil a \u00e9t\u00e9\u201d\u2026\u00bb"),
        ("What is it?", "", "5 \u00c2\u00ab 6"),
    ],
    "needs_action": [
        ("Send an email to a colleague about a meeting.", "", "Dear John, the meeting is on Tuesday."),
        ("Play a game of chess with words.", "", "Let us begin: e4."),
        ("How do I set a reminder?", "", "Open the app and tap on the plus."),
        ("Open the Task Manager.", "", "It can be opened with Windows + X."),
        ("Order the events.", "b, a", "The order is a, b."),
        ("Write a story: remind me of summer.", "", "I've set out for the sea."),
        ("Print the first digits of pi.", "", "3.14159"),
        ("Search the web for the longest river.", "", "The Nile is the longest river."),
    ],
    "response_length_unusual": [
        ("Is it a fruit?", "", "Yes.", "classification"),
        ("Is it a fruit?", "", "word " * 500, ""),
        ("Tell it.", "", "word " * 2500, "creative_writing"),
    ],
    "mostly_signs": [
        ("Write a regular expression.", "", r"^\d{3}[-. ]?\(\d{3}\)[-. ]?\d{4}$"),
        ("List primes.", "", "2, 3, 5, 7, 11, 13, 17, 19"),
        ("Say it in Greek.", "", "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1 \u03c3\u03b1\u03c2"),
        ("Smile.", "", ":-)"),
    ],
    "equation_wrong": [
        ("Solve it.", "", "3x + 4 = 19, so 2x = 10 and x = 5."),
        ("Divide it.", "", "10 / 3 = 3.33, about 3; 22 / 7 = 3.1429"),
        ("Share it.", "", "5 / 20 = 25%; 7 / 2 = 3 remainder 1; 1/3 * 100 = 33%"),
        ("Count in base two.", "", "1010 + 11 = 1101"),
        ("Which of these is wrong?", "", "2 + 2 = 5 is wrong."),
        ("Go on.", "1 + 4 = 5, 2 + 5 = 12", "As 2 + 5 = 12, the next is 21."),
        ("Number the tasks.", "", "1. 5 x 9 =\n2. 5 x 8 = 40\n3. 8 + 2 = 10"),
        ("Factor it.", "", "4 + 5(6 - 3) = 4 + 5 x 3 = 19; f(2) + 3 = 9; x^2 + 3 = 12"),
        ("What is left?", "", "$9 - 10% = $8.10"),
        ("Give the time.", "", "It is 10:30 + 45 = 11:15. 3 million x 2 = 6 million."),
        ("Take the average.", "", "(3 + 5 + 9 + 11) / 4 = 7 and 100 x 1.05^2 = 110.25"),
        ("Write code.", "", "if x + 1 == 3:\n    y = 2 * 3 == 6"),
        ("Raise it.", "", "(10^40/3)^64 = 5"),
        ("Add them.", "", "2 + 1 = 3." + "0" * 5000),
        ("Add them.", "", "4" * 5000 + " + 1 = 5"),
    ],
    "answer_miscalculated": [
        ("What is 15% of 80?", "", "15% of 80 is 12."),
        ("Find the average of 9, 5 and 6.", "", "6.67"),
        ("Compute the sum of squares of given numbers.", "12 and 17", "433"),
        ("Calculate 7 / 2.", "", "3.5"),
        ("Calculate 7 divided by 2.", "", "3 1/2"),
        ("What is 12 + 30?", "", "Forty-two."),
        ("What is 9 + 10 in binary?", "", "10011"),
        ("Add 2 decimal places after a number.", "99", "99.00"),
        ("Multiply 653 by 5.", "", "653 x 5 is 3,265."),
        ("What is 1984 about?", "", "It was written in 1949."),
        ("Find the missing number in the list: 2, 4, 8, __", "", "16"),
        ("Round 7.6 + 1.", "", "9"),
        ("Calculate (10^40/3)^64.", "", "5"),
        ("What is 2 + 1?", "", "3." + "0" * 5000),
    ],
    "code_does_not_parse": [
        ("Write Python code.", "", "```python\nprint 'two'\n```"),
        ("Write Python code.", "", "```python\n>>> 1 + 1\n2\n```"),
        ("Write Python code.", "", "```python\ndef f(x):\n    ...\n\nclass A: ...\n```"),
        ("Write Python code.", "", "```python\nmodel.fit(<your data>)\n```"),
        ("Write Python code.", "", "    def f(x):\n        return '\\d'"),
        ("Explain Python lists.", "", "import them with care, for they grow: a list = many things"),
        ("Fix the syntax error.", "def f(", "```python\ndef f(\n```"),
        ("Write JSON lines.", "", '```json\n{"a": 1}\n{"a": 2}\n```'),
        ("Write Java.", "", "```java\nint a = 1\n```"),
    ],
    "secret_leaked": [
        ("Write a script.", "", 'api_key = "YOUR_API_KEY_GOES_HERE"'),
        ("Write a script.", "", "key = 'AKIAIOSFODNN7EXAMPLE'"),
        ("Write a script.", "", 'password = "correct horse battery"'),
        ("Write a script.", "", 'secret = "aaaaaaaaaaaaaaaa1111"'),
        ("Hash it.", "", "The sha256 is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08."),
        ("Explain keys.", "", "It begins with -----BEGIN PRIVATE KEY-----."),
        ("Name a risk.", "", "task-oriented-internationalisation-of-everything"),
    ],
    "personal_data": [
        ("Who is it?", "", "Write to john.doe@example.com or info@bakery.org, or call 555-123-4567."),
        ("Pay it.", "", "Test with 4111 1111 1111 1111; 4539 5787 6362 1487 is mistyped."),
        ("Pay it.", "", "GB82 WEST 1234 5698 7654 33 has a wrong checksum; so has routing number 021000323."),
        ("Where is it?", "", "Try 192.168.1.10, 127.0.0.1, 8.8.8.8 or version 10.200.300.400."),
        ("Count.", "", "1,234,567,890 people; 123-456-7890; 1000 2000 3000; 2019-12-31"),
        ("Give pi.", "", "3.14159265358979323846"),
    ],
    "toxic_words": [
        ("Where is it?", "", "In Scunthorpe, by the chink in the wall; the growth was retarded by the cold."),
        ("Describe it.", "", "A shiitake dish with cockles."),
    ],
}
"""By code: records that look like it and are right."""
