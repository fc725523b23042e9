"""Scores of creators, what holds them back, and what to do about it.

Everything a business may want to change (KPIs, weights, ranges, thresholds, recommendations) is a table of
``seeds/reference/creator_*.csv``; the functions here know none of their names. The warehouse and the
service call the same functions: the same input gives the same score to the last bit.

- ``reference``: the tables, from the shipped CSV files or from a warehouse, and what is valid on a day;
- ``scores``: inputs to components, KPIs, tiers and the overall score, and how much could be gained;
- ``diagnosis``: what is below its threshold or below its peers;
- ``recommendations``: what to do first, how sure that is, and how to test it;
- ``tables``: the same for dbt Python models, from rows and to rows.
"""
