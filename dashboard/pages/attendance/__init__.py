"""Attendance: signed-in time, pauses paid and unpaid, by person and day, for payroll."""

from dashboard.pages.attendance.views import EXPORT, bp

__all__ = ["EXPORT", "bp"]
