using System.Text.Json;
using Omium.Kernel.Expressions;

namespace Omium.Kernel.Specs;

/// <summary>What a step shares with other executions: the scopes it locks, the values it reads and writes.</summary>
public sealed record SharedSpec
{
    /// <summary>Scopes locked for one visit (template texts).</summary>
    public IReadOnlyList<SharedName> Locks { get; init; } = [];

    /// <summary>Values read before the input is made.</summary>
    public IReadOnlyList<StateReadSpec> Reads { get; init; } = [];

    /// <summary>Values written by its commit.</summary>
    public IReadOnlyList<StateWriteSpec> Writes { get; init; } = [];

    /// <summary>How long its locks may keep others waiting before they are asked for back; default 10 minutes.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>A name as written, and where: JSON pointer.</summary>
public sealed record SharedName(string Text, string Pointer);

/// <summary>A value that is read. <paramref name="Name"/>: what expressions call it, <c>state.name</c>; <paramref name="Key"/>: <c>scope#field</c>, a template text.</summary>
public sealed record StateReadSpec(string Name, SharedName Key);

/// <summary>A value that is written: <paramref name="Value"/> (an expression), or the output's member of the field's name.</summary>
public sealed record StateWriteSpec(SharedName Key, string? Value);

/// <summary>What a step shares, compiled.</summary>
public sealed record SharedPlan(IReadOnlyList<Template> Locks, IReadOnlyList<ReadPlan> Reads, IReadOnlyList<WritePlan> Writes, long LeaseMs)
{
    /// <summary>True when something must be there before a visit's input is made.</summary>
    public bool Gathers => Locks.Count > 0 || Reads.Count > 0;

    /// <summary>Expressions that name what is shared or say what is written.</summary>
    internal IEnumerable<CelExpression> Expressions =>
        Locks.Concat(Reads.Select(read => read.Key)).Concat(Writes.Select(write => write.Key)).SelectMany(template => template.Expressions).Select(pair => pair.Expression)
            .Concat(Writes.Select(write => write.Value).OfType<CelExpression>());

    /// <summary>Steps whose outputs say what is locked or read.</summary>
    internal IEnumerable<string> Sources => Locks.Concat(Reads.Select(read => read.Key))
        .SelectMany(template => template.Expressions).SelectMany(pair => pair.Expression.Paths)
        .Where(path => path.Root == "steps" && path.Segments.Count > 0).Select(path => path.Segments[0]);
}

/// <summary>A compiled read.</summary>
public sealed record ReadPlan(string Name, Template Key);

/// <summary>A compiled write.</summary>
public sealed record WritePlan(Template Key, CelExpression? Value);
