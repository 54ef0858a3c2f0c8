using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Omium.Contracts;
using Omium.Contracts.Errors;
using Omium.Kernel.Json;

namespace Omium.Api.Tests.Wire;

/// <summary>
/// The wire as it is frozen in tests/golden/wire: what stands there is read into the records and written again, byte by byte. The suite of the TypeScript SDK holds the
/// real server to the same lines and writes them (OMIUM_GOLDEN=write); the suite of the Python SDK sends what stands there.
/// </summary>
public sealed class WireGoldenTests
{
    private static readonly Dictionary<string, (JsonTypeInfo Request, JsonTypeInfo? Answer)> Records = new(StringComparer.Ordinal)
    {
        ["executions"] = (RequestJson.Default.StartExecutionRequest, ContractJson.Default.ExecutionView),
        ["trace"] = (RequestJson.Default.TraceRequest, ContractJson.Default.TraceView),
        ["poll"] = (RequestJson.Default.PollRequest, ContractJson.Default.TaskView),
        ["complete"] = (RequestJson.Default.CompleteTaskRequest, null),
        ["fail"] = (RequestJson.Default.FailTaskRequest, null),
    };

    [Theory]
    [InlineData("traced")]
    [InlineData("workers")]
    public void Exchanges_ReadIntoRecordsAndWritten_AreTheSameBytes(string file)
    {
        foreach (var line in Lines(file))
        {
            var read = JsonNode.Parse(line)!.AsObject();
            var (request, answer) = Records[((string)read["path"]!).Split('/')[^1]];
            Replace(read, "request", request);
            if (read.ContainsKey("answer"))
            {
                Replace(read, "answer", answer!);
            }

            Assert.Equal(line, Canonical(read));
        }
    }

    [Fact]
    public void Problems_ReadIntoTheRecordAndWritten_AreTheSameBytes()
    {
        foreach (var line in Lines("errors"))
        {
            var read = JsonNode.Parse(line)!.AsObject();
            if (read.ContainsKey("answer"))
            {
                Replace(read, "answer", ContractJson.Default.Problem);
                Assert.Equal((int)read["status"]!, ErrorCatalogue.Find((string)read["answer"]!["code"]!)?.HttpStatus);
            }

            Assert.Equal(line, Canonical(read));
        }
    }

    /// <summary>Reads a member into its record, and puts what the record writes in its place; what is null or empty is not on the wire.</summary>
    private static void Replace(JsonObject line, string member, JsonTypeInfo record)
    {
        var value = JsonSerializer.Deserialize(line[member]!.ToJsonString(), record);
        Assert.NotNull(value);
        line[member] = Told(JsonSerializer.SerializeToNode(value, record)!);
    }

    private static JsonNode Told(JsonNode written)
    {
        if (written is JsonArray items)
        {
            return new JsonArray([.. items.Select(item => item is null ? null : Told(item.DeepClone()))]);
        }

        if (written is not JsonObject members)
        {
            return written.DeepClone();
        }

        var isWorkflow = members["mode"] is null; // A traced execution has no workflow: its record holds an empty one.
        return new JsonObject(members.Where(member => member.Value is not null && (isWorkflow || member.Key != "workflow"))
            .Select(member => KeyValuePair.Create(member.Key, (JsonNode?)Told(member.Value!.DeepClone()))));
    }

    private static string Canonical(JsonNode value)
    {
        using var document = JsonDocument.Parse(value.ToJsonString());
        return Encoding.UTF8.GetString(CanonicalJson.Canonicalize(document.RootElement));
    }

    private static string[] Lines(string file) => File.ReadAllLines(Path.Combine(ApiHost.RepositoryRoot(), "tests", "golden", "wire", file + ".jsonl"));
}
