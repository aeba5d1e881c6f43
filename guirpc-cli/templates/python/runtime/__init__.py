"""What every generated package has in common: nothing in here knows a contract."""
