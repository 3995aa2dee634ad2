"""Imports in the browser: the uploaded file, what it holds, the dry run, the import itself and its undo.

The file is kept gzipped in the database, so that the worker of any machine reads it. An import goes on after
the last batch that was committed: each batch notes in its own transaction how far the import is.
"""
