"""The service `http`: asks web addresses for what workflows want, and reaches nothing on the machine or in the house."""
