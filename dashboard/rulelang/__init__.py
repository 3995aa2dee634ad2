"""The rule language: schema, fields, operators, compiler, matcher, text templates, working time.

A pure package: it imports neither Flask nor peewee and reads no tables. `matcher.match` decides which
rules match an event and why; it writes nothing and reads no clock.
"""
