"""Texts on which libraries part: case that is no matter of one character, words by Unicode, white space, size."""

HOSTILE: tuple[str, ...] = (
    "",
    " ",
    "  leading and  inner   spaces ",
    "tab\tnew\nline\r\n\n\x0b\x0c end",
    "no-break\u00a0space ideographic\u3000space line\u2028separator \x1c\x1d\x1e\x1f",
    "İstanbul'da I ı i İ",
    "Straße STRASSE ẞ ß ŉ",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ Σ ΑΣΑ ΟΔΟΣ.ΑΒ ΑΣ' ΑΣ'Β ΑΣ: aΣⒶ ⒶΣ ΣΣ ς σ",
    "Ǆ ǅ ǆ ᾼ ᾳ Ω Å K ﬁ ﬂ Ⅷ ⅷ ½ ²",
    "e\u0301 é É E\u0301 n\u0303 ñ",
    "गणित कोशिका है সংখ্যা தமிழ்",
    "日本語のテキスト 한국어 텍스트",
    "عربي نص עברית ١٢٣ ٣٤",
    "😀 emoji 👩\u200d👩\u200d👧 🇩🇪",
    "foo_bar _x_ __ 123 4 5.6 7,8 x1 1x",
    "don't stop; can't!!! (a) [b] {c} <d> e-mail@example.org #tag",
    "UPPER Title lOWER",
    "\u200bzero\u200dwidth\ufeff mark soft\u00adhyphen",
    "nul\x00byte control\x01\x7f",
    "\ud7ff\ue000\uffff\U00010400\U0010ffff",
)
"""Short ones; what is long is made of these."""
LONG: tuple[str, ...] = ("a" * 3_000, " ".join(HOSTILE) * 8, "word " * 2_000)
