"""The landing contract of ``vars.yml`` as typed Python."""

from plumbline.contract.model import Column, Table, contract, table

__all__ = ["Column", "Table", "contract", "table"]
