using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Omium.Runtime.Effects.Tools;

/// <summary>A function of the hosting process that a tool of type <c>function</c> calls: arguments in, result out.</summary>
public delegate ValueTask<JsonElement> ToolFunction(JsonElement arguments, CancellationToken cancellation);

/// <summary>Functions by name. Thread-safe.</summary>
public sealed class FunctionRegistry
{
    private readonly ConcurrentDictionary<string, ToolFunction> _functions = new(StringComparer.Ordinal);

    /// <summary>Adds a function. The token it gets is cancelled at the call's time-out.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Register(string name, Func<JsonElement, CancellationToken, ValueTask<JsonElement>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (!_functions.TryAdd(name, new ToolFunction(function)))
        {
            throw new ArgumentException($"A function '{name}' is already registered.", nameof(name));
        }
    }

    /// <summary>Finds a function.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out ToolFunction? function) => _functions.TryGetValue(name, out function);
}
