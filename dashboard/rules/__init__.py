"""The rule engine: evaluates active rules over recorded events, runs actions, keeps timers and limits."""
