/** What scripts can tell from the exit code. */
export const EXIT_OK = 0;
/** Something failed while running: a port is taken, a file cannot be written. */
export const EXIT_FAILURE = 1;
/** The command line or the configuration is not right; running it again changes nothing. */
export const EXIT_MISTAKE = 2;
