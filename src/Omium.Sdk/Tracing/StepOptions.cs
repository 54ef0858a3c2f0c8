using System.Text.Json;

namespace Omium;

/// <summary>What a step is held to, and how it is told from others.</summary>
public class StepOptions
{
    /// <summary>Tells calls of one name apart that run at the same time. Default: the n-th call of the name in this run.</summary>
    public string? Key { get; init; }

    /// <summary>What it works on. Recorded; asked for again with another one, it is a <see cref="ReplayMismatchException"/>. Default: not compared.</summary>
    public object? Input { get; init; }

    /// <summary>SHA-256 of the input (lower-case hex) instead of <see cref="Input"/>, when the input itself shall stay in this process.</summary>
    public string? InputDigest { get; init; }

    /// <summary>JSON Schema that the output has to meet; <see cref="Schema.Of{T}"/> makes one of a type. Checked by the server before anything is committed.</summary>
    public JsonElement? Schema { get; init; }

    /// <summary>What the output has to keep, checked by the server.</summary>
    public Constraints? Constraints { get; init; }
}

/// <summary>What an output has to keep: bounds, or expressions over <c>output</c> (docs/reference/workflow-spec.md#expressions).</summary>
public sealed class Constraints
{
    private Constraints(JsonElement json) => Json = json;

    /// <summary>As it is sent.</summary>
    internal JsonElement Json { get; }

    /// <summary>Bounds of the output if it is a number, else of its single numeric member, else they refuse it.</summary>
    public static Constraints Between(double? min = null, double? max = null)
    {
        var bounds = new Dictionary<string, double>();
        if (min is { } least)
        {
            bounds["min"] = least;
        }

        if (max is { } most)
        {
            bounds["max"] = most;
        }

        return new Constraints(JsonSerializer.SerializeToElement(bounds));
    }

    /// <summary>Expressions that must all be true.</summary>
    public static Constraints That(params string[] expressions) => new(JsonSerializer.SerializeToElement(expressions));
}

/// <summary>What is known about a transaction whose process is gone, or that gave no clear answer.</summary>
public enum EffectKind
{
    /// <summary>Nobody can tell whether it happened: a person is asked.</summary>
    Irreversible,

    /// <summary>It runs again with the same key; the other side honours the key.</summary>
    Idempotent,

    /// <summary><see cref="TransactionOptions{T}.Verify"/> tells.</summary>
    Verifiable,
}

/// <summary>What a verify function found.</summary>
/// <param name="Status">done, not_done or unknown.</param>
/// <param name="Output">When done: what the transaction gave.</param>
public sealed record Verification<T>(string Status, T? Output = default);

/// <summary>What a verify function finds.</summary>
public static class Verification
{
    /// <summary>It happened, and this is what it gave.</summary>
    public static Verification<T> Done<T>(T output) => new("done", output);

    /// <summary>It did not happen: it runs again.</summary>
    public static Verification<T> NotDone<T>() => new("not_done");

    /// <summary>Nobody can tell: a person is asked.</summary>
    public static Verification<T> Unknown<T>() => new("unknown");
}

/// <summary>What a transaction's code is told.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IdempotencyKey">The key to send along: the same each time it runs, until it is undone.</param>
/// <param name="Attempt">From 1.</param>
public sealed record TransactionContext(string Name, string IdempotencyKey, int Attempt);

/// <summary>How a transaction may be repeated, approved and undone.</summary>
public sealed class TransactionOptions<T> : StepOptions
{
    /// <summary>What follows when nobody knows whether it happened. Default irreversible, or verifiable when <see cref="Verify"/> is given.</summary>
    public EffectKind? Effect { get; init; }

    /// <summary>Name of the compensation that undoes it when it is taken back: one of <see cref="Compensations"/>, under a name that a program started anew knows.</summary>
    public string? Compensate { get; init; }

    /// <summary>Tells whether it happened.</summary>
    public Func<TransactionContext, CancellationToken, Task<Verification<T>>>? Verify { get; init; }

    /// <summary>The key to send along; default: one is made.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>A person approves it before it runs.</summary>
    public bool Approval { get; init; }

    /// <summary>Value at stake in USD; above the tenant's limit a person approves it before it runs.</summary>
    public double? AmountUsd { get; init; }
}
