"""The scoring service: creators scored, compared and advised over HTTP, published marts read.

It is an optional extra (``pip install plumbline[service]``) and calls the same functions as the warehouse.
See README.md beside this file for every endpoint with a call.
"""
