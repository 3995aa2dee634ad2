"""The tables: columns, keys, indexes. Queries of pages are in the packages of the pages.

Units: `*_ms` is UTC epoch milliseconds, `*_ts` UTC epoch seconds, `*_s` a duration in seconds, all integers.
"""

from dashboard.models.access import Access, AccessGrant, ApiKey, Session, SignInAttempt
from dashboard.models.cobrowsing import CobrowseAgent, CobrowseSession, CobrowseStep
from dashboard.models.connectors import Connector, Manager, ManagerMember, ManagerWait
from dashboard.models.dashboards import Dashboard, Tile
from dashboard.models.events import (
    Contact,
    Event,
    Follow,
    Interaction,
    RefusedEvent,
    Source,
    SourceHour,
    SourceRhythm,
)
from dashboard.models.imports import FileImport, ImportPart, ImportRange, ImportRefused
from dashboard.models.notify import Calendar, CalendarDay, Channel, ChannelCheck, Notification, Profile
from dashboard.models.people import PauseType, Queue, Team, TeamLead, TeamMember, User
from dashboard.models.privacy import (
    AuditRedaction,
    AuditSubject,
    ErasedLogin,
    LookGroup,
    LookMember,
    Policy,
    PolicyReading,
)
from dashboard.models.records import (
    AuditCheckpoint,
    AuditEntry,
    Counter,
    ExportFile,
    ExportPart,
    Job,
    Setting,
)
from dashboard.models.reports import SavedQuery
from dashboard.models.rules import (
    Backtest,
    EventCause,
    Mark,
    Rule,
    RuleCount,
    RuleDraft,
    RuleGroup,
    RuleLimit,
    RuleMute,
    RuleVersion,
    Run,
    Step,
    Subject,
    Timer,
    TypeSwitch,
)
from dashboard.models.schedules import Schedule, ScheduleMail, ScheduleRecipient, ScheduleRun
from dashboard.models.tracing import Activity, Interval
from dashboard.models.visitors import Invitation, Site, Visit

ALL = [
    Access,
    AccessGrant,
    User,
    Team,
    TeamMember,
    TeamLead,
    Queue,
    PauseType,
    Session,
    SignInAttempt,
    Source,
    SourceHour,
    SourceRhythm,
    ApiKey,
    Connector,
    Manager,
    ManagerMember,
    ManagerWait,
    Site,
    Visit,
    Invitation,
    CobrowseSession,
    CobrowseStep,
    CobrowseAgent,
    Contact,
    Counter,
    Follow,
    Interaction,
    Event,
    RefusedEvent,
    Activity,
    Interval,
    Job,
    ExportFile,
    ExportPart,
    FileImport,
    ImportPart,
    ImportRange,
    ImportRefused,
    AuditEntry,
    AuditCheckpoint,
    AuditRedaction,
    AuditSubject,
    ErasedLogin,
    LookGroup,
    LookMember,
    Policy,
    PolicyReading,
    Setting,
    RuleGroup,
    Rule,
    RuleVersion,
    RuleDraft,
    RuleMute,
    Run,
    Step,
    RuleLimit,
    RuleCount,
    Timer,
    Subject,
    Mark,
    EventCause,
    Backtest,
    TypeSwitch,
    Channel,
    ChannelCheck,
    Notification,
    Profile,
    Calendar,
    CalendarDay,
    SavedQuery,
    Schedule,
    ScheduleRecipient,
    ScheduleRun,
    ScheduleMail,
    Dashboard,
    Tile,
]

__all__ = [model.__name__ for model in ALL] + ["ALL"]
