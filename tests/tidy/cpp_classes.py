"""A small reader of C++: the classes of a source, and how many methods each declares itself.

It knows as much of the language as a class's body needs. A declaration with a parameter list is a method: constructors,
destructors and operators, whether defined there, elsewhere, defaulted or deleted, each overload for itself. Data
members, types, friends and what is named by `using` are not; a nested or local class is one of its own.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    (?P<skip>\s+|//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<directive>(?<![^\n])[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<raw>(?:u8|[uUL])?R"(?P<fence>[^\s()\\]*)\(.*?\)(?P=fence)")
  | (?P<text>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<number>\.?[0-9](?:'?[A-Za-z0-9_.]|(?<=[eEpP])[+-])*)
  | (?P<char>[uUL]?'(?:\\.|[^'\\\n])*')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign>::|->|\[\[|\]\]|&&|\|\||[=!]=|.)
""", re.S | re.X)
CLOSES = {"(": ")", "[": "]", "{": "}", "[[": "]]"}
# Words that a parenthesis may follow without their being a function.
NOT_NAMES = {"alignas", "decltype", "noexcept", "explicit", "requires", "sizeof", "__attribute__"}


@dataclass(frozen=True)
class Class:
    name: str  # With the classes around it, and as far as the source writes them the namespaces.
    line: int
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    text: str
    line: int
    word: bool


def tokens_of(source: str) -> list[Token]:
    tokens, line = [], 1
    for match in TOKEN.finditer(source):
        kind = match.lastgroup
        if kind not in ("skip", "directive"):
            text = '""' if kind in ("raw", "text", "char") else match.group()
            tokens.append(Token(text, line, kind == "word"))
        line += match.group().count("\n")
    return tokens


def past(tokens: list[Token], at: int) -> int:
    """Behind the bracket that closes the one at `at`."""
    open_, depth = tokens[at].text, 0
    for index in range(at, len(tokens)):
        if tokens[index].text == open_:
            depth += 1
        elif tokens[index].text == CLOSES[open_]:
            depth -= 1
            if depth == 0:
                return index + 1
    return len(tokens)


def past_angles(tokens: list[Token], at: int) -> int:
    """Behind the template arguments or parameters that begin with the `<` at `at`; `at` if it compares."""
    depth, index = 0, at
    while index < len(tokens):
        text = tokens[index].text
        if text in CLOSES:
            index = past(tokens, index)
            continue
        if text in (";", "}", ")", "]"):
            return at
        depth += {"<": 1, ">": -1}.get(text, 0)
        index += 1
        if depth == 0:
            return index
    return at


def past_template(tokens: list[Token], at: int) -> int:
    """Behind `template <...>` and its `requires`, as often as they come."""
    while at < len(tokens) and tokens[at].text == "template":
        at = past_angles(tokens, at + 1)
        if at < len(tokens) and tokens[at].text == "requires":
            at = past_constraint(tokens, at + 1)
    return at


def past_constraint(tokens: list[Token], at: int) -> int:
    """Behind a requires clause: primary expressions, joined by && and ||."""
    while at < len(tokens):
        while tokens[at].text == "!":
            at += 1
        if tokens[at].text == "requires":  # An expression.
            at += 1
            if tokens[at].text == "(":
                at = past(tokens, at)
            at = past(tokens, at)
        elif tokens[at].text == "(":
            at = past(tokens, at)
        else:
            while True:  # A name.
                if tokens[at].text == "::":
                    at += 1
                at += 1
                if tokens[at].text == "<":
                    at = past_angles(tokens, at)
                if tokens[at].text != "::":
                    break
        if tokens[at].text not in ("&&", "||"):
            return at
        at += 1
    return at


def class_head(tokens: list[Token], at: int) -> tuple[str, int] | None:
    """If a class is defined from its key at `at` on: its name, and where its body begins."""
    if tokens[at].text not in ("class", "struct", "union") or (at > 0 and tokens[at - 1].text == "enum"):
        return None
    name, index = "", at + 1
    while index < len(tokens):
        token = tokens[index]
        if token.text == "[[":
            index = past(tokens, index)
        elif token.text == "alignas" or (token.word and name == "" and tokens[index + 1].text == "("):  # Or a macro.
            index = past(tokens, index + 1)
        elif token.text == "<" and name:
            index = past_angles(tokens, index)
            if tokens[index - 1].text != ">":
                return None
        elif token.text == "::" or (token.word and (name == "" or name.endswith("::"))):
            name += token.text
            index += 1
        elif token.text == "final":
            index += 1
        elif token.text == ":":
            while index < len(tokens) and tokens[index].text != "{":
                index = past(tokens, index) if tokens[index].text == "(" else index + 1
                if index < len(tokens) and tokens[index].text == "<":
                    index = max(past_angles(tokens, index), index + 1)
        elif token.text == "{":
            return name or "(unnamed)", index
        else:
            return None
    return None


def declarator(tokens: list[Token], at: int) -> tuple[str | None, int]:
    """The function that the declaration at `at` declares, if it does, and where its parameters begin."""
    index = at
    while index < len(tokens):
        token = tokens[index]
        if token.text == "operator":
            end = index + 1
            if tokens[end].text == "(":  # operator()
                end += 2
            while tokens[end].text != "(":
                end += 1
            return "".join(t.text for t in tokens[index:end]), end
        if token.text in ("[[", "[", "{"):
            if token.text == "{":
                return None, index
            index = past(tokens, index)
        elif token.text in (";", "=", ":"):
            return None, index
        elif token.text == "<":
            index = max(past_angles(tokens, index), index + 1)
        elif token.text in NOT_NAMES and index + 1 < len(tokens) and tokens[index + 1].text == "(":
            index = past(tokens, index + 1)
        elif token.text == "(":
            name, before = tokens[index - 1], tokens[index - 2] if index - 2 >= at else None
            # `void (*f)()`: what is declared is a pointer. `int x GUARDED_BY(y)`: it is x.
            behind = past(tokens, index)
            points = tokens[index + 1].text in ("*", "&") and behind < len(tokens) and tokens[behind].text == "("
            if not name.word or points:
                return None, index
            if before is not None and before.word and re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", name.text):
                return None, index
            destroys = before is not None and before.text == "~"
            return ("~" if destroys else "") + name.text, index
        else:
            index += 1
    return None, index


def past_declaration(tokens: list[Token], at: int, function: bool) -> int:
    """Behind the `;` of a declaration, or the body of a function."""
    index, initializes = at, False
    while index < len(tokens):
        text = tokens[index].text
        if text == ";":
            return index + 1
        if text == "{":
            body = function and not (initializes and (tokens[index - 1].word or tokens[index - 1].text == ">"))
            index = past(tokens, index)
            if body:
                return index + 1 if index < len(tokens) and tokens[index].text == ";" else index
            continue
        if text in ("(", "[", "[["):
            index = past(tokens, index)
            continue
        initializes = initializes or text == ":"
        index += 1
    return index


def methods_of(body: list[Token]) -> list[str]:
    methods: list[str] = []
    at = 0
    while at < len(body):
        text = body[at].text
        if text in ("public", "private", "protected") and body[at + 1].text == ":":
            at += 2
            continue
        if text == ";":
            at += 1
            continue
        begin = past_template(body, at)
        first = body[begin].text
        if first in ("using", "typedef", "static_assert"):
            at = past_declaration(body, begin, function=False)
        elif first == "friend":
            name, parameters = declarator(body, begin + 1)
            at = past_declaration(body, parameters, function=name is not None)
        else:
            at = member(body, begin, methods)
    return methods


def member(body: list[Token], begin: int, methods: list[str]) -> int:
    """Adds the method that the member is, if it is one; returns the next member's place."""
    key = begin
    while body[key].text in ("static", "inline", "constexpr", "mutable", "const", "constinit", "typename"):
        key += 1
    if body[key].text == "enum" or class_head(body, key) is not None:
        return past_declaration(body, key, function=False)
    name, parameters = declarator(body, begin)
    if name is not None:
        methods.append(name)
        parameters = past(body, parameters)
    return past_declaration(body, parameters, function=name is not None)


def classes_of(source: str) -> list[Class]:
    tokens = tokens_of(source)
    classes: list[Class] = []
    around: list[tuple[int, str]] = []  # Where each class that is open ends, and its name.
    for at, token in enumerate(tokens):
        head = class_head(tokens, at)
        if head is None:
            continue
        name, begin = head
        end = past(tokens, begin)
        around = [each for each in around if at < each[0]]
        around.append((end, name))
        methods = methods_of(tokens[begin + 1:end - 1])
        classes.append(Class("::".join(each for _, each in around), token.line, tuple(methods)))
    return classes
