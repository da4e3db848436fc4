"""Is it a CloudEvent? Written from the CloudEvents 1.0.2 specification and its JSON format.

faults(event) gives every rule that the object in structured mode breaks, as sentences.
"""
import datetime
import re

URI_REFERENCE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=(?:[\w.-]+|\"[^\"]*\"))*", re.ASCII)
RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
NAME = re.compile(r"[a-z0-9]+")
REQUIRED = ("id", "source", "specversion", "type")
PAYLOAD = ("data", "data_base64")  # the only members that are no attributes


def bad_characters(text):
    """Control characters, lone surrogates and noncharacters must not stand in a String."""
    return [hex(ord(c)) for c in text
            if ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF
            or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE]


def is_time(text):
    parts = RFC3339.fullmatch(text)
    if not parts:
        return False
    year, month, day, hour, minute, second = map(int, parts.groups()[:6])
    try:
        datetime.datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        return False
    return second <= 60 and (parts[8] in "Zz" or (int(parts[8][1:3]) < 24 and int(parts[8][4:]) < 60))


def attribute_faults(name, value):
    if not NAME.fullmatch(name):
        yield f"the attribute name {name!r} is not made of a-z and 0-9"
    if len(name) > 20:
        yield f"the attribute name {name!r} is longer than 20 characters"
    if isinstance(value, str):
        if bad_characters(value):
            yield f"{name} holds {bad_characters(value)}"
    elif isinstance(value, bool):
        pass
    elif not isinstance(value, int) or not -2**31 <= value < 2**31:
        yield f"{name} is no Boolean, Integer of 32 bits, or String: {value!r}"


def faults(event):
    if not isinstance(event, dict):
        return ["it is no JSON object"]
    found = [f"the required attribute {name} is missing or no text"
             for name in REQUIRED if not isinstance(event.get(name), str) or not event[name]]
    for name, value in event.items():
        if name not in PAYLOAD:
            found += attribute_faults(name, value)
    known = (("specversion", lambda text: text == "1.0"), ("source", URI_REFERENCE.fullmatch), ("time", is_time),
             ("datacontenttype", MEDIA_TYPE.fullmatch), ("subject", bool), ("sequence", bool),
             ("dataschema", lambda text: re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.", text)))
    for name, good in known:
        if name in event and not (isinstance(event[name], str) and good(event[name])):
            found.append(f"{name} is not as it must be: {event[name]!r}")
    if "data" in event and "data_base64" in event:
        found.append("data and data_base64 exclude each other")
    return found


def check_the_checker():
    """It must be able to fail."""
    good = {"id": "1", "source": "/a", "specversion": "1.0", "type": "x.y", "time": "2025-03-01T05:01:00.5+02:00"}
    assert faults(good) == [], faults(good)
    for change in ({"id": ""}, {"source": "a b"}, {"specversion": "1"}, {"Type": "x"}, {"time": "2025-02-30T00:00:00Z"},
                   {"time": "2025-03-01 05:01:00Z"}, {"subject": ""}, {"n": 2**31}, {"n": None}, {"n": "\u0085"},
                   {"data": 1, "data_base64": ""}, {"datacontenttype": "json"}, {"my_key": "x"}):
        assert faults({**good, **change}), change
    assert faults([]) and faults({})
