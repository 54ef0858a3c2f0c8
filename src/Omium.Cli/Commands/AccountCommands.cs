using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Access;
using Omium.Contracts.Billing;
using Omium.Contracts.Tenants;
using Omium.Kernel.Json;

namespace Omium.Cli.Commands;

/// <summary><c>status</c>, <c>keys</c>, <c>members</c>, <c>billing</c>: who one is, who else may do what, and what it costs.</summary>
internal static class AccountCommands
{
    public static Command Status() => new ClientCommand("status", "Show who the key is, what it may do, and what needs attention.").Does(async (_, client, report, cancellation) =>
    {
        var (me, health) = (await client.GetAsync("v1/me", cancellation), await client.GetAsync("v1/health-summary", cancellation));
        report.Show(JsonMake.Object(("me", me), ("health", health)), () =>
        {
            Console.WriteLine($"{"address",-14}{client.BaseUrl}");
            JsonTable.Print(me, ("tenant", "tenant"), ("environment", "environment"), ("key", "key_id"), ("may", "scopes"), ("credits", "credits"), ("version", "version"));
            JsonTable.Print(health, ("executions", "executions_by_status"), ("open failures", "open_failures"), ("open reviews", "open_reviews"), ("workflows", "workflows"));
            if (health.TryGetProperty("alarms", out var alarms))
            {
                foreach (var alarm in alarms.EnumerateArray())
                {
                    Console.WriteLine($"{"alarm",-14}{JsonTable.Cell(alarm, "code")}: {JsonTable.Cell(alarm, "detail", int.MaxValue)}");
                }
            }
        });
        return ExitCodes.Done;
    });

    public static Command Keys()
    {
        var list = ListCommand.Create(
            "keys", "List API keys.", "v1/keys", "There are no keys.",
            [("KEY", "id"), ("NAME", "name"), ("ENVIRONMENT", "environment"), ("STATUS", "status"), ("MAY", "scopes"), ("CREATED", "created_at"), ("LAST USED", "last_used_at")]);
        var (name, environment) = (new Argument<string>("NAME") { Description = "What to call it." }, new Option<string?>("--environment") { Description = "Tag, for example live or test.", HelpName = "NAME" });
        var scopes = new Option<string[]>("--scope") { Description = "read, run, work, write, propose, decide or admin; repeat for several. Default: all you have but admin.", HelpName = "SCOPE" };
        var cap = new Option<long?>("--cap") { Description = "Credits it may use a month.", HelpName = "CREDITS" };
        list.Subcommands.Add(new ClientCommand("create", "Make a key; it is shown once.") { name, environment, scopes, cap }.Does(async (parsed, client, report, cancellation) =>
        {
            var request = new CreateKeyRequest(parsed.GetValue(name)!, parsed.GetValue(environment), parsed.GetValue(scopes) is { Length: > 0 } given ? given : null, parsed.GetValue(cap));
            var key = await client.PostAsync("v1/keys", request, ClientJson.Default.CreateKeyRequest, cancellation);
            report.Show(key, () => Console.WriteLine($"{JsonTable.Cell(key, "id")}\n{JsonTable.Cell(key, "secret", int.MaxValue)}"));
            return ExitCodes.Done;
        }));
        list.Subcommands.Add(OfId("rotate", "KEY", "Give a key a new secret; the old one is refused from now on.", async (id, client, report, cancellation) =>
        {
            var key = await client.PostAsync($"v1/keys/{Uri.EscapeDataString(id)}/rotate", cancellation);
            report.Show(key, () => Console.WriteLine(JsonTable.Cell(key, "secret", int.MaxValue)));
        }));
        list.Subcommands.Add(OfId("revoke", "KEY", "End a key: it is refused from now on.", async (id, client, report, cancellation) =>
        {
            await client.DeleteAsync($"v1/keys/{Uri.EscapeDataString(id)}", cancellation);
            report.Done($"{id} is revoked.");
        }));
        return list;
    }

    public static Command Members()
    {
        var list = ListCommand.Create(
            "members", "List the people of the tenant.", "v1/members", "Nobody but keys.", [("MEMBER", "id"), ("E-MAIL", "email"), ("NAME", "name"), ("ROLE", "role"), ("TEAMS", "teams"), ("SINCE", "joined_at")]);
        var (email, role, team) = (new Argument<string>("E-MAIL") { Description = "Whom." }, Role(), Team());
        list.Subcommands.Add(new ClientCommand("invite", "Invite somebody; the token is shown once.") { email, role, team }.Does(async (parsed, client, report, cancellation) =>
        {
            var request = new InviteRequest(parsed.GetValue(email)!, parsed.GetValue(role)!, parsed.GetValue(team) is { Length: > 0 } teams ? teams : null);
            var invitation = await client.PostAsync("v1/invitations", request, ClientJson.Default.InviteRequest, cancellation);
            report.Show(invitation, () => Console.WriteLine(JsonTable.Cell(invitation, "token", int.MaxValue)));
            return ExitCodes.Done;
        }));
        var (member, newRole, newTeam) = (new Argument<string>("MEMBER") { Description = "Id of a member." }, Role(), Team());
        list.Subcommands.Add(new ClientCommand("set", "Change somebody's role and teams.") { member, newRole, newTeam }.Does(async (parsed, client, report, cancellation) =>
        {
            var request = new ChangeMemberRequest(parsed.GetValue(newRole)!, parsed.GetValue(newTeam) is { Length: > 0 } teams ? teams : null);
            var changed = await client.PutAsync($"v1/members/{Uri.EscapeDataString(parsed.GetValue(member)!)}", request, ClientJson.Default.ChangeMemberRequest, cancellation);
            report.Show(changed, () => Console.WriteLine($"{parsed.GetValue(member)} is {request.Role}."));
            return ExitCodes.Done;
        }));
        list.Subcommands.Add(OfId("remove", "MEMBER", "Take somebody out of the tenant.", async (id, client, report, cancellation) =>
        {
            await client.DeleteAsync($"v1/members/{Uri.EscapeDataString(id)}", cancellation);
            report.Done($"{id} is removed.");
        }));
        return list;
    }

    public static Command Billing()
    {
        var show = new ClientCommand("billing", "Show the balance, the plan, and what keys have used this month.").Does(async (_, client, report, cancellation) =>
        {
            var billing = await client.GetAsync("v1/billing", cancellation);
            report.Show(billing, () =>
            {
                JsonTable.Print(
                    billing, ("plan", "plan.name"), ("remaining", "remaining"), ("balance", "balance"), ("in USD", "usd"), ("reserved", "reserved"), ("overdraft", "overdraft"), ("spent", "spent"),
                    ("checkpoints", "plan.checkpoints_left"), ("month", "plan.period"), ("low", "low"), ("top up by", "top_up.gateway"), ("note", "top_up.note"));
                JsonTable.Print(billing.GetProperty("keys"), "", ("KEY", "id"), ("CAP", "cap"), ("USED", "used"), ("RESERVED", "reserved"));
            });
            return ExitCodes.Done;
        });
        show.Subcommands.Add(ListCommand.Create(
            "transactions", "List what moved the balance, newest first.", "v1/billing/transactions", "Nothing has moved.",
            [("ID", "id"), ("AT", "at"), ("KIND", "kind"), ("CREDITS", "credits"), ("WHAT", "description"), ("EXECUTION", "execution")]));
        var amount = new Argument<double>("USD") { Description = "From 10 to 10,000." };
        show.Subcommands.Add(new ClientCommand("top-up", "Buy credits: prints where to pay.") { amount }.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await client.PostAsync("v1/billing/topups", new TopUpRequest(parsed.GetValue(amount)), ClientJson.Default.TopUpRequest, cancellation);
            report.Show(answer, () => Console.WriteLine(JsonTable.Cell(answer, "checkout_url", int.MaxValue)));
            return ExitCodes.Done;
        }));
        show.Subcommands.Add(new ClientCommand("verify", "Prove the ledger; exit code 1 when it does not hold.").Does(async (_, client, report, cancellation) =>
        {
            var answer = await client.GetAsync("v1/billing/verify", cancellation);
            report.Show(answer, () => Console.WriteLine(string.Join(' ', answer.EnumerateObject().Select(member => $"{member.Name}={JsonTable.Cell(answer, member.Name)}"))));
            return answer.GetProperty("verdict").GetString() == "corrupt" ? ExitCodes.Error : ExitCodes.Done;
        }));
        return show;
    }

    private static Option<string> Role() => new("--role") { Description = "viewer, operator, approver or admin.", Required = true, HelpName = "ROLE" };

    private static Option<string[]> Team() => new("--team") { Description = "Team that reviews may be escalated to; repeat for several.", HelpName = "NAME" };

    private static ClientCommand OfId(string name, string what, string description, Func<string, ApiClient, Report, CancellationToken, Task> action)
    {
        var id = new Argument<string>(what) { Description = "Its id." };
        return new ClientCommand(name, description) { id }.Does(async (parsed, client, report, cancellation) =>
        {
            await action(parsed.GetValue(id)!, client, report, cancellation);
            return ExitCodes.Done;
        });
    }
}
