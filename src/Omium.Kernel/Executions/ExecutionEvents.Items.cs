using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

[JsonDerivedType(typeof(ItemsExpanded), "items.expanded")]
public abstract partial record ExecutionEvent;

/// <summary>
/// The list of a <c>for_each</c> step is known and fixed for this visit. Each item then is a visit of its own (<see cref="ItemName"/>), recorded by
/// the same events as a step's: <c>step.scheduled</c> with the step's visit in <c>after</c>, to <c>step.committed</c>, <c>step.failed</c> or <c>step.skipped</c>.
/// </summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Count">Number of items.</param>
/// <param name="Chunks">The items in order, in pieces small enough for one decision to read.</param>
public sealed record ItemsExpanded(string Step, int Visit, int Count, IReadOnlyList<ItemChunk> Chunks) : ExecutionEvent;

/// <summary>Some items of a list: those from <paramref name="First"/> on.</summary>
/// <param name="First">Index of the first.</param>
/// <param name="Count">How many.</param>
/// <param name="Items">A list of them, or a payload reference to it.</param>
public sealed record ItemChunk(int First, int Count, JsonElement Items);
