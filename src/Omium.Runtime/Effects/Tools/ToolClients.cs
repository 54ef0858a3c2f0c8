using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Effects.Tools;

/// <summary>The client of each tool type. A type without one answers <c>feature_unavailable</c>: nothing was called.</summary>
public sealed class ToolClients(IReadOnlyDictionary<ToolType, IToolClient> clients) : IToolClient
{
    /// <summary>HTTP, functions and MCP.</summary>
    public ToolClients(IToolClient http, IToolClient functions, IToolClient mcp)
        : this(new Dictionary<ToolType, IToolClient> { [ToolType.Http] = http, [ToolType.Function] = functions, [ToolType.Mcp] = mcp })
    {
    }

    /// <inheritdoc/>
    public Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        return clients.TryGetValue(request.Tool.Type, out var client)
            ? client.CallAsync(request, cancellation)
            : Task.FromResult(new EffectOutcome
            {
                Failure = new(
                    FailureClasses.ToolError, "feature_unavailable",
                    $"The tool '{request.Tool.Name}' is of type {request.Tool.Type.ToString().ToLowerInvariant()}, which this installation does not run.",
                    Permanent: true),
            });
    }
}
