namespace Omium.Cli.Hosting;

/// <summary>
/// Log lines on standard error, so that standard output stays what programs read: everything of Omium from Information on, of others only
/// warnings. The framework's own console logger starts a thread and reads options, which a start within a blink cannot spare.
/// </summary>
internal sealed class LineLogger : ILoggerProvider, ILogger
{
    private readonly bool _ours;

    public LineLogger()
        : this("Omium")
    {
    }

    private LineLogger(string category) => _ours = category.StartsWith("Omium", StringComparison.Ordinal);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LineLogger(categoryName);

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= (_ours ? LogLevel.Information : LogLevel.Warning);

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            var problem = exception is null ? "" : $" {exception.GetType().Name}: {exception.Message}";
            Console.Error.WriteLine($"{logLevel.ToString().ToLowerInvariant()} {eventId.Id}: {formatter(state, exception)}{problem}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
