/** Calls again and again, while the error says that it may succeed later: the hub restarts, say. */
export async function patiently(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!error.retryable) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs));
    }
  }
}
