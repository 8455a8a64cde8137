config: {
  maxRetries: 3,
  retryDelay: 60000,
  allowLoops: true,
  maxLoopIterations: 10
}
