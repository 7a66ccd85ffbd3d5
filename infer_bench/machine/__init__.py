"""What machine this is: its cores, limits and libraries, and the thread settings that suit it."""
