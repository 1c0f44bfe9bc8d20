"""The drift library measured: its speed beside other libraries, the delay of its alarms, the power of its tests."""
