using System.Text.Json.Serialization;

namespace Omium.Api.Executions;

/// <summary>Pieces of answers, <c>{"effect", "text"}</c>.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class DeltaJson : JsonSerializerContext;
