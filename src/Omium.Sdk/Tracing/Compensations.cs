using System.Collections.Concurrent;
using System.Text.Json;

namespace Omium;

/// <summary>A transaction that is taken back.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Input">What it worked on, when that was told.</param>
/// <param name="Output">What it gave; absent when nobody knows whether it happened.</param>
/// <param name="IdempotencyKey">The key to send along when undoing: the same each time.</param>
/// <param name="Attempt">Attempt to undo it, from 1.</param>
public sealed record Undo(string Name, JsonElement? Input, JsonElement? Output, string IdempotencyKey, int Attempt)
{
    private JsonSerializerOptions Json { get; init; } = JsonSerializerOptions.Default;

    /// <summary>What it gave, as a type.</summary>
    public T? OutputAs<T>() => Output is { } output ? output.Deserialize<T>(Json) : default;

    internal Undo With(JsonSerializerOptions json) => this with { Json = json };
}

/// <summary>
/// The functions that undo transactions, by the names that are on record. Register all of them before a program runs: one that is started anew must know them, too. Each
/// must do no harm when it runs twice.
/// </summary>
public sealed class Compensations
{
    private readonly ConcurrentDictionary<string, Func<Undo, CancellationToken, Task>> _known = new(StringComparer.Ordinal);

    /// <summary>Registers what undoes transactions under a name.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public Compensations Add(string name, Func<Undo, CancellationToken, Task> compensate)
    {
        ArgumentNullException.ThrowIfNull(compensate);
        return _known.TryAdd(name, compensate) ? this : throw new ArgumentException($"A compensation '{name}' is registered already.", nameof(name));
    }

    internal Func<Undo, CancellationToken, Task>? Find(string name) => _known.GetValueOrDefault(name);
}
