using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Omium.Api.Tests;

/// <summary>The last failures that the server logged, whole: an answer tells only a trace id, and a test that meets a 500 has to tell what was behind it.</summary>
public sealed class LoggedFailures : ILoggerProvider, ILogger
{
    private const int LinesMax = 200;
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>Those that a text of an answer names by its trace id, else all: the newest last.</summary>
    public string Behind(string answer)
    {
        var lines = _lines.ToArray();
        var named = Array.FindAll(lines, line => TraceIdOf(answer) is { } trace && line.Contains(trace, StringComparison.Ordinal));
        return named.Length > 0 ? string.Join('\n', named) : lines.Length == 0 ? "nothing" : string.Join('\n', lines);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _lines.Enqueue($"{formatter(state, exception)}\n{exception}");
            while (_lines.Count > LinesMax && _lines.TryDequeue(out _))
            {
                // The oldest goes.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static string? TraceIdOf(string answer)
    {
        const string Before = "Trace id ";
        var start = answer.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        var end = start < Before.Length ? -1 : answer.IndexOf(". ", start, StringComparison.Ordinal);
        return end < 0 ? null : answer[start..end];
    }
}
