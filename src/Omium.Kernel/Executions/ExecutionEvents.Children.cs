using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

// Child workflows: a step that is an execution of its own.
[JsonDerivedType(typeof(ChildRequested), "child.requested")]
[JsonDerivedType(typeof(ChildStarted), "child.started")]
[JsonDerivedType(typeof(ChildCancelSent), "child.cancel_sent")]
[JsonDerivedType(typeof(ParentNotified), "parent.notified")]
public abstract partial record ExecutionEvent;

/// <summary>A workflow step wants its child. The child's id follows from the effect's, so that starting it twice starts one.</summary>
/// <param name="Effect">Local effect id.</param>
/// <param name="Workflow">Workflow of the child.</param>
/// <param name="Child">Execution id of the child.</param>
/// <param name="Input">Its input, or a payload reference.</param>
/// <param name="InputDigest">SHA-256 of the canonical input.</param>
/// <param name="Depth">How many parents it has.</param>
public sealed record ChildRequested(string Effect, string Workflow, string Child, JsonElement Input, string InputDigest, int Depth) : ExecutionEvent;

/// <summary>The child runs. Its version is pinned for every later attempt of this execution.</summary>
public sealed record ChildStarted(string Effect, int Version, string SpecDigest) : ExecutionEvent;

/// <summary>The child of a cancelled execution was told to end.</summary>
public sealed record ChildCancelSent(string Effect) : ExecutionEvent;

/// <summary>The parent has on record what it was told: how the child ended, or that it was rolled back.</summary>
public sealed record ParentNotified(int Notice) : ExecutionEvent;

/// <summary>Whose child an execution is.</summary>
/// <param name="Execution">Parent.</param>
/// <param name="Effect">The parent's local effect id.</param>
/// <param name="Depth">How many parents there are above, from 1.</param>
public sealed record ParentLink(string Execution, string Effect, int Depth);
